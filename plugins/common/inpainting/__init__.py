"""Inpainting: the task, data, losses, metrics, and inference at any size."""
