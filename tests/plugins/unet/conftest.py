"""Folders of images and masks."""

from __future__ import annotations

from pathlib import Path

import pytest
from segmentation_files import image, mask, square


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    for number in (1, 2, 10):
        image(tmp_path / "images" / f"cell{number}.png", seed=number)
        mask(tmp_path / "masks" / f"cell{number}.png", square())
    return tmp_path
