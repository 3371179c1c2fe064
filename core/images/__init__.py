"""Picture files in and out: levels, depth, transparency, metadata."""
