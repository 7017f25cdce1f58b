"""One folder per product, all of one shape: profile.yaml, tables/, and Python only for ways that are its own."""
