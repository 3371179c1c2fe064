"""The engine: runs a task through its phases, epochs and steps."""
