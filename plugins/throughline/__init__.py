"""Throughline: one hub that carries a manufacturer's documents through all its systems."""

__version__ = "0.1.0"
