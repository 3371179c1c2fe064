"""Two networks that work against each other: losses, phases, and whether the game goes well."""
