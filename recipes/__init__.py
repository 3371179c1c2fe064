"""Settings of the runs that made what is published; ``restore recipes`` lists them. Imports no torch."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

UPSCALE_X4_START = _FOLDER / "upscale-x4-start.yaml"
"""What ``upscale`` starts from."""
UPSCALE_X4 = _FOLDER / "upscale-x4.yaml"
"""The weights ``upscale``."""
UPSCALE_X2 = _FOLDER / "upscale-x2.yaml"
"""The weights ``upscale-x2``."""
UPSCALE_CLEAN_X4 = _FOLDER / "upscale-clean-x4.yaml"
"""The weights ``upscale-clean``."""
UPSCALE_CLEAN_X3 = _FOLDER / "upscale-clean-x3.yaml"
"""The weights ``upscale-clean-x3``."""
UPSCALE_CLEAN_X2 = _FOLDER / "upscale-clean-x2.yaml"
"""The weights ``upscale-clean-x2``."""
RESTORE_PHOTO = _FOLDER / "restore-photo.yaml"
"""The weights ``restore-photo``."""
NUCLEI = _FOLDER / "nuclei.yaml"
"""The weights ``nuclei``."""
