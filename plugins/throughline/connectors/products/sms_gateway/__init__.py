"""A short-message gateway by HTTP: signed, in UCS-2, so many parts of 67 characters at most."""
