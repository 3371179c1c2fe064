"""Settings classes as flags and as files, and the merge of everything that sets a value."""
