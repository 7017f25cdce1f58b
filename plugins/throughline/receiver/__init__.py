"""The door for what systems send us by themselves: check who sent it, keep it, only then say that we have it."""
