"""Settings of the runs that made what is published; ``restore recipes`` lists them. Imports no torch."""

from __future__ import annotations

from pathlib import Path

UPSCALE_X4 = Path(__file__).parent / "upscale-x4.yaml"
"""The weights ``upscale``."""
UPSCALE_CLEAN_X4 = Path(__file__).parent / "upscale-clean-x4.yaml"
"""The weights ``upscale-clean``."""
