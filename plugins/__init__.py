"""The model families, each one room, and the shared toolbox."""
