"""A day in the plant: workers produce, receive and ship what the systems ask for, all by themselves."""
