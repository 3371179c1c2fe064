"""Image files in and out: levels, depth, transparency, metadata."""
