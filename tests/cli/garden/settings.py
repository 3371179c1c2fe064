"""Settings of the garden."""

import enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from restore.core.optimizer_settings import OptimizerSettings
from restore.core.settings import Flag, RegisteredName, RunSettings, Settings

print("the garden prints while it is imported")


class Color(enum.Enum):
    red = "red"
    blue = "blue"


class PlotSettings(Settings):
    """What rebuilds the plot."""

    scale: Annotated[Literal[2, 4, 8], Flag("--scale")] = 4
    """How many times larger."""
    width: Annotated[int, Field(ge=1, le=64)] = 4
    """Channels."""


class GrowSettings(RunSettings):
    """Without --data it grows on drawn noise [a sample]."""

    model: PlotSettings = PlotSettings()
    """The plot."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-2)
    """How it is tended."""
    shade: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the day in shade."""
    soil: Literal["clay", "sand"] | Path = "clay"
    """Kind of soil, or a folder of it."""
    color: Color = Color.red
    """Color of the flowers."""
    rows: list[Annotated[int, Field(ge=1)]] = [1, 2]  # noqa: RUF012
    """Flowers of each row."""
    notes: dict[str, int] = {}  # noqa: RUF012
    """Anything."""
    damage: Annotated[str, RegisteredName("losses", roles=("pixel",)), Flag("--damage")] = "garden/wilting"
    """How damage is counted, by its registered name."""
    epochs: int = 2
    batch_size: int = 4
    samples_per_epoch: int | None = 8
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    sample_images: int = 0


class PondSettings(Settings):
    """What rebuilds the pond."""

    width: Annotated[int, Field(ge=1, le=64)] = 4
    """Channels."""


class WaterSettings(GrowSettings):
    """Has no scale."""

    model: PondSettings = PondSettings()
    """The pond."""


class DemandingSettings(GrowSettings):
    """Needs a name."""

    gardener: str
    """Who tends it."""


class ClashingSettings(GrowSettings):
    """Names a field as the command line names a flag."""

    resume: str = ""


class PickSettings(Settings):
    """Options of predict."""

    basket: Path | None = None
    """Where to put what is picked."""


class WeighSettings(Settings):
    """Options of evaluate."""

    scale: Literal[2, 4] = 4
    """Which scale to weigh with."""


class CountSettings(Settings):
    """Counts up."""

    to: Annotated[int, Field(ge=1)] = 3
    """How far."""


class DiarySettings(Settings):
    """Settings of the diary."""

    file: Path = Path("diary.txt")
    """Where to write, in the run folder."""
    lines: Annotated[int, Field(ge=1)] | None = None
    """How many lines to write; unset: all."""


NOT_A_CLASS = {}
