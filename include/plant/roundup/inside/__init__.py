"""Scripts that run with the Python of Roundup's own environment."""
