"""SMTP, a mail server: carries a notice to a person once; nobody can ask it later whether it did."""
