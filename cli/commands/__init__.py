"""The commands of the tool, one file each."""
