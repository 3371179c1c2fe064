"""Masks of holes: read from files, drawn by rng, or taken from a folder."""
