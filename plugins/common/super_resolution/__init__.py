"""Datasets and evaluation protocols of super-resolution."""
