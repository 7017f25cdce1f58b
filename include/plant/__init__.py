"""The plant in a box: real and emulated systems that every flow can be run against on one machine."""
