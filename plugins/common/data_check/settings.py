"""Settings of ``restore data check``. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restore.core.settings import Flag, Positional, Settings


class CheckSettings(Settings):
    """Find out what is wrong with a folder of data: unreadable, doubled, too small and mismatched files.

    The folder has one of the layouts that --data takes: images, pairs in LR/ and HR/ (or inputs/ and targets/), images/
    with masks/, or one of these in train/ and again in val/. Every file is decoded.
    """

    folder: Annotated[Path, Positional("FOLDER")]
    """Folder of data."""
    crop_size: Annotated[int, Field(ge=1)] | None = None
    """Side of the crops that you will train on; smaller images are a problem. Unset: they are not looked for."""
    as_json: Annotated[bool, Flag("--json")] = False
    """Print one JSON object."""
