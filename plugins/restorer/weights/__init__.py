"""Trained weights that ship with the family; `recipes/restore-photo.yaml` made them. Imports no torch."""

from __future__ import annotations

from pathlib import Path

RESTORE_PHOTO = Path(__file__).parent / "restore-photo.safetensors"
"""A small DRUNet that removes JPEG artifacts and noise from photographs."""
