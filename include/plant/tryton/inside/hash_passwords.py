"""Hashes passwords as Tryton does: a JSON map of login to password on standard input, one hash a line on output."""

from __future__ import annotations

import json
import sys

import pwdlib  # lies in Tryton's own environment
from pwdlib.hashers.argon2 import Argon2Hasher


def main() -> None:
    """Read the passwords, print their hashes in the same order."""
    hasher = pwdlib.PasswordHash([Argon2Hasher()])
    for password in json.load(sys.stdin).values():
        sys.stdout.write(hasher.hash(password) + "\n")


if __name__ == "__main__":
    main()
