"""``restore plugin check``: hold an installed plugin, or one in a folder, to what users rely on."""
