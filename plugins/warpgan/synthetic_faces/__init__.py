"""Drawn faces with known identities and landmarks: a data set that needs no download."""
