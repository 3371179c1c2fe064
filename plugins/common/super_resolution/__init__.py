"""Data sets and evaluation protocols of super-resolution."""
