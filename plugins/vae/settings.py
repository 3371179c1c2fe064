"""Settings of both autoencoders and of their commands. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Flag, OptimizerSettings, Positional, RunSettings, ScheduleSettings, Settings


class ModelSettings(Settings):
    """Encoder and decoder: all that is needed to build them again."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels at full size; deeper layers have up to four times as many."""
    depth: Annotated[int, Field(ge=1, le=7)] = 3
    """How many times the encoder halves height and width."""
    latent: Annotated[int, Field(ge=1)] = 16
    """Latent units: numbers that the code holds for each square of 2^depth x 2^depth pixels."""
    scale: Annotated[Literal[1, 2, 4], Flag("--scale")] = 1
    """How many times higher and wider the decoded image is than the one that was encoded."""


class AutoencoderSettings(RunSettings):
    """Settings of a run; without --data it trains on crops of the photographs that ship with scikit-image."""

    model: ModelSettings = ModelSettings()
    """The two networks."""
    crop_size: Annotated[int, Field(ge=1)] = 64
    """Side in pixels of the crops that are decoded while training; a multiple of the scale."""
    recolor: bool = True
    """Train on crops in other colors too: few photographs have few of them."""
    batch_size: int = 8
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = 1200
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.99
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=1e-3, clip_norm=1.0, schedule=ScheduleSettings(name="cosine", warmup=0.05, final=0.02)
    )
    """Optimizer of all networks; each phase has its own."""


class VAESettings(AutoencoderSettings):
    """Settings of a run in two phases: the KL divergence is charged more and more, then in full.

    Without --data it trains on crops of the photographs that ship with scikit-image.
    """

    model: ModelSettings = ModelSettings(depth=4, latent=32)
    beta: Annotated[float, Field(ge=0)] = 1.0
    """What a nat of KL costs in nats of likelihood: 1 is the evidence lower bound; more makes codes that are more alike
    and poorer images (Higgins et al., 2017)."""
    free_bits: Annotated[float, Field(ge=0)] = 0.0
    """Nats of KL that each latent unit may use at each place for nothing, so that it is not given up."""
    warmup: Annotated[float, Field(ge=0)] = 0.3
    """Share of the epochs, rounded, in which the price of KL rises from zero; 1 and more: how many epochs, which is
    what a run writes into its configuration, so that more --epochs lengthen what comes after."""

    @model_validator(mode="after")
    def _warms_up_for_something(self) -> Self:
        if self.warmup >= 1 and not self.warmup.is_integer():
            raise ValueError(f"warmup ({self.warmup}) is neither a share below 1 nor a whole number of epochs")
        if self.warmup >= max(1, self.epochs):
            raise ValueError(
                f"warmup ({self.warmup:.0f} epochs) leaves none of epochs ({self.epochs}) for the full objective"
            )
        return self

    def split(self) -> tuple[int, int]:
        """Epochs of warm-up and of the full objective, which has at least one."""
        shared = min(round(self.epochs * self.warmup), self.epochs - 1)
        warmup = int(self.warmup) if self.warmup >= 1 else shared
        return warmup, self.epochs - warmup

    def resolved(self) -> Self:
        """A copy with the length of the warm-up fixed: a resumed run with more ``epochs`` goes on with the rest."""
        settings = super().resolved()
        return settings.model_copy(update={"warmup": float(settings.split()[0])})


class AutoencoderEvaluateOptions(Settings):
    """How the bounds on the likelihood are estimated."""

    draws: Annotated[int, Field(ge=1)] = 8
    """Codes drawn for each image; the importance-weighted bound is the tighter the more there are."""


class SampleSettings(Settings):
    """Codes are drawn from the prior; an image is the mean of p(image | code), without its noise."""

    n: Annotated[int, Field(ge=1), Flag("-n")] = 16
    """How many images to draw."""
    size: Annotated[int, Field(ge=1)] = 64
    """Side of each in pixels."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of what is drawn."""
    output: Path = Path("samples.png")
    """The sheet to write, a .png file."""
    overwrite: bool = False
    """Replace the file if it is there already."""


class InterpolateSettings(Settings):
    """Codes on the straight line between those of two images, decoded."""

    images: Annotated[tuple[Path, Path], Positional("A B")]
    """Two image files; the second is fitted to the size of the first."""
    steps: Annotated[int, Field(ge=2)] = 8
    """Images of the walk, both ends included."""
    output: Path = Path("interpolation.png")
    """A .png strip of all images side by side, or a .gif that walks there and back."""
    overwrite: bool = False
    """Replace the file if it is there already."""
