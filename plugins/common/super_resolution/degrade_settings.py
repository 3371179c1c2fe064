"""Settings of ``restore degrade``. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from restore.core.settings import Flag, Positional, Settings
from restore.plugins.common.degradation.settings import DegradationSettings


class DegradeSettings(Settings):
    """Write pairs of degraded and good images, which --data accepts: LR/ and HR/, at scale 1 inputs/ and targets/.

    An image is degraded by its name and --seed alone: with seed 0 as restore evaluate degrades it with the same preset.
    Good images lose the last rows and columns that the scale does not divide. Otherwise they stay as they are, also
    where a preset sharpens the targets of training.
    """

    folder: Annotated[Path, Positional("FOLDER")]
    """Folder of good images."""
    output: Path = Path("pairs")
    """Folder for the pairs, PNG of 8 bits without alpha."""
    scale: Annotated[int, Field(ge=1, le=8), Flag("--scale")] = 4
    """How many times smaller the degraded images are."""
    degradation: DegradationSettings = DegradationSettings(preset="photo")
    """How images are degraded."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Another seed degrades every image differently."""
    overwrite: bool = False
    """Replace existing files."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.scale == 1 and not self.degradation.active:
            raise ValueError("with scale 1 and preset none the images would stay as they are; set --preset or --scale")
        return self
