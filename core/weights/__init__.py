"""Weights files, which contain everything to rebuild their networks, and checkpoints of other projects."""
