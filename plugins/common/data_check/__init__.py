"""``restore data check``: what is wrong with a folder of data, before a training finds out."""
