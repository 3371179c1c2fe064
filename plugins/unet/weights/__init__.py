"""Trained weights that ship with the family; `recipes/nuclei.yaml` made them. Imports no torch."""

from __future__ import annotations

from pathlib import Path

NUCLEI = Path(__file__).parent / "nuclei.safetensors"
"""A UNet++ for nuclei in microscope images, trained on the nuclei of the Data Science Bowl 2018."""
