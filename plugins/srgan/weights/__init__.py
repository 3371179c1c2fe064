"""Trained weights that ship with the family; `recipes/` has the recipe of each. Imports no torch."""

from __future__ import annotations

from pathlib import Path

UPSCALE = Path(__file__).parent / "upscale-x4.safetensors"
"""Photographs, four times larger; removes JPEG artifacts and light noise."""
UPSCALE_CLEAN = Path(__file__).parent / "upscale-clean-x4.safetensors"
"""Clean images, four times larger; for the tables of papers."""
