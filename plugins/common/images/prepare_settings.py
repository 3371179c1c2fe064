"""Settings of ``restore data prepare``. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restore.core.settings import Positional, Settings


class PrepareSettings(Settings):
    """Cut large photographs into sub-images of one size to train on, so that an epoch draws them by area.

    Flat ones (sky, blurred backgrounds) teach little and can be left out with --min-detail. The pixels of most cameras
    and compressed files are soft; halving with --max-side makes them sharp.
    """

    folder: Annotated[Path, Positional("FOLDER")]
    """Folder of images."""
    output: Path = Path("prepared")
    """Folder for the sub-images, PNG of 8 bits."""
    size: Annotated[int, Field(ge=32, le=4096)] = 256
    """Side of the sub-images in pixels. Smaller images are left out and counted."""
    step: Annotated[int, Field(ge=16, le=4096)] | None = None
    """Distance of neighbors in pixels; unset: --size, so that they do not overlap."""
    max_side: Annotated[int, Field(ge=64)] | None = None
    """Images with a longer side are halved, with area averaging, until it fits; unset: no image is halved."""
    min_detail: Annotated[float, Field(ge=0, le=255)] = 0.0
    """Leave out sub-images whose luma changes less than this from pixel to pixel, as a mean over the sub-image; of
    255."""
    overwrite: bool = False
    """Replace existing files."""
