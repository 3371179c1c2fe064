"""Files of a run: run folder, checkpoints, logs and summary."""
