"""The hub from a terminal: start and stop it, follow documents through it, let parked ones go on."""
