"""Drawn faces with known identities and landmarks: a dataset that needs no download."""
