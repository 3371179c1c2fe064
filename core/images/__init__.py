"""Reading and writing image files: bit depth, transparency, metadata."""
