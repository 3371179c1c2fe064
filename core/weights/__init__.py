"""Weights: the files that rebuild their networks, and checkpoints of other projects."""
