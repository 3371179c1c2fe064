"""A settings class as flags, files and layers of values."""
