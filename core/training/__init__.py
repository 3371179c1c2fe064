"""The engine: what takes a task through its phases, epochs and steps."""
