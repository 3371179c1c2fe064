"""Masks of holes: read from files, drawn by chance, or taken from a folder."""
