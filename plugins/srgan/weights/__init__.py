"""Trained weights that ship with the family; `recipes/` has the recipe of each. Imports no torch."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

UPSCALE = _FOLDER / "upscale-x4.safetensors"
"""Photographs, four times larger; removes JPEG artifacts and light noise."""
UPSCALE_X2 = _FOLDER / "upscale-x2.safetensors"
"""Photographs, twice as large; removes JPEG artifacts and light noise."""
UPSCALE_CLEAN = _FOLDER / "upscale-clean-x4.safetensors"
"""Clean images, four times larger; for the tables of papers."""
UPSCALE_CLEAN_X3 = _FOLDER / "upscale-clean-x3.safetensors"
"""Clean images, three times larger; for the tables of papers."""
UPSCALE_CLEAN_X2 = _FOLDER / "upscale-clean-x2.safetensors"
"""Clean images, twice as large; for the tables of papers."""
