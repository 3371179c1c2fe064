"""Trained weights that ship with the family; `recipes/` has the recipe of each. Imports no torch."""

from __future__ import annotations

from pathlib import Path

UPSCALE = Path(__file__).parent / "upscale-x4.safetensors"
"""Photographs, four times larger; removes JPEG artifacts and light noise."""
