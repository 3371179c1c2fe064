"""Segmentation data: finding, splitting, reading and augmenting images with masks."""
