"""Devices, precision and processes of a run."""
