"""Settings of WarpGAN. Imports no torch."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from restore.core.errors import RestoreError
from restore.core.settings import Flag, OptimizerSettings, ResumeSafe, Settings
from restore.core.weights.header import find_weights, safetensors_header
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings

SAMPLE_IDENTITIES = 12
"""People of the drawn sample."""

PUBLISHED = {"size": 256, "channels": 64, "discriminator_channels": 32}
"""What the paper trains on real images; the defaults below suit the drawn sample and a small machine."""


class ModelSettings(Settings):
    """Generator and discriminator: all that is needed to build them again."""

    size: Annotated[int, Field(ge=32, multiple_of=4)] = 64
    """Side in pixels of the aligned faces. Unset with --data: 256, as published."""
    channels: Annotated[int, Field(ge=1)] = 16
    """Channels of the generator's first layer; deeper ones have up to four times as many. Unset with --data: 64."""
    style: Annotated[int, Field(ge=1)] = 8
    """Numbers that describe a style of drawing."""
    points: Annotated[int, Field(ge=4)] = 16
    """Control points of the warp."""
    controller: Literal["pooled", "dense"] = "pooled"
    """How control points are found: pooled: from the mean features of parts of the image; dense: from those of every
    place, as published, which is 134 million parameters at 256 pixels."""
    discriminator_channels: Annotated[int, Field(ge=1)] = 16
    """Channels of the discriminator's first layer; the last has sixteen times as many. Unset with --data: 32."""
    embedding: Annotated[int, Field(ge=2)] = 512
    """Numbers that describe a face inside the discriminator."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the numbers inside controllers and discriminator that is left out at random while training."""
    identities: Annotated[int, Field(ge=0)] = 0
    """How many people there are; 0: counted from the data, then written into the configuration."""


class LossSettings(Settings):
    """What is asked of the generator, with the weights of the paper where it has one."""

    patch: Annotated[float, Field(ge=0)] = 2.0
    """Factor of the adversarial loss over patches: caricature, photograph or generated."""
    identity: Annotated[float, Field(ge=0)] = 1.0
    """Factor of the adversarial loss over people: whose caricature, whose photograph, or generated from whom."""
    caricature_texture: Annotated[float, Field(ge=0)] = 10.0
    """Factor of the error of caricatures that are drawn again in their own style, not warped."""
    photograph_texture: Annotated[float, Field(ge=0)] = 10.0
    """Factor of the error of photographs that are drawn again in their own style, not warped."""
    outside: Annotated[float, Field(ge=0)] = 1.0
    """Factor of the penalty for control points outside the image; not in the paper (0), where nothing holds them."""
    folds: Annotated[float, Field(ge=0)] = 0.0
    """Factor of the penalty for places where the warp folds the image over; not in the paper (0)."""


class PretrainSettings(Settings):
    """First phase: the discriminator learns faces, as the paper's begins as a network for face recognition."""

    epochs: Annotated[int, Field(ge=0)] | None = None
    """Epochs of this phase; unset: every fifth of --epochs, at least one, but none with --init-from
    that takes a discriminator."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=5e-4, betas=(0.5, 0.9), weight_decay=1e-4)
    """Optimizer of the discriminator."""


class AdversarialSettings(Settings):
    """Second phase: generator against discriminator."""

    progressive: list[Annotated[int, Field(ge=4)]] = []  # noqa: RUF012 - pydantic copies it
    """Sizes, each larger than the one before, to which images are reduced in earlier parts of this phase: details
    come in step by step. The networks keep their size. Unset: all details at once."""
    progressive_epochs: list[Annotated[int, Field(ge=1)]] = []  # noqa: RUF012 - as above
    """Epochs of each of these parts. Unset: this phase in equal parts, of which a run writes the lengths into its
    configuration, so that more --epochs lengthen the last part, with all details."""
    generator: OptimizerSettings = OptimizerSettings(lr=1e-3, betas=(0.5, 0.9), weight_decay=1e-4)
    """Optimizer of the generator; the paper's rate, for a hundred thousand steps, is 1e-4."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=3e-4, betas=(0.5, 0.9), weight_decay=1e-4)
    """Optimizer of the discriminator; the paper's rate is 1e-4."""


class WarpGANSettings(TwoPhaseSettings):
    """Settings of a run in two phases: the discriminator learns faces, then the adversarial phase.

    --data is a folder with a folder for each person, as WebCaricature: photographs P00001, …, caricatures C00001, …,
    all aligned (restore data align). Without it a run is on drawn faces: 12 people, each with 10 photographs and 10
    caricatures.
    """

    sample_steps: ClassVar[int | None] = 240  # of 2 pairs: each photograph four times

    model: ModelSettings = ModelSettings()
    """The two networks."""
    list_file: Annotated[Path | None, Flag("--list")] = None
    """Text file that names the images to train on, a line "path" or "path person" each, relative to --data."""
    val_list: Path | None = None
    """The same for validation images, relative to --val-data or else to --data."""
    flip: bool = True
    """Mirror half of the training images."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 5
    batch_size: Annotated[int, Field(ge=1)] = 2
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.99
    loss: LossSettings = LossSettings()
    """What the generator is to do."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Second phase."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        sizes = [*self.adversarial.progressive, self._sizes().get("size", self.model.size)]
        if any(after <= before for before, after in pairwise(sizes)):
            raise ValueError(
                f"adversarial.progressive: {sizes[:-1]} does not rise to the size of the faces, {sizes[-1]}"
            )
        return self

    @model_validator(mode="after")
    def _leaves_epochs(self) -> Self:
        pretrain, adversarial = self.split()
        sizes, lengths = self.adversarial.progressive, self.adversarial.progressive_epochs
        if lengths and len(lengths) != len(sizes):
            raise ValueError(
                f"adversarial.progressive_epochs has {len(lengths)} lengths for {len(sizes)} sizes of "
                "adversarial.progressive; give one for each, or leave it out"
            )
        if adversarial < (sum(lengths) or len(sizes)) + 1:
            asked = f" of {lengths} epochs and a last one" if lengths else ""
            raise ValueError(
                f"epochs ({self.epochs}) leaves {adversarial} after pretraining ({pretrain}) for the adversarial "
                f"phase, which has {len(sizes) + 1} part(s){asked}; give more epochs, or --pretrain.epochs 0"
            )
        return self

    def split(self) -> tuple[int, int]:
        """Epochs of pretraining and of the adversarial phase: 1 to 4 where nothing else is set."""
        pretrain = self.pretrain.epochs
        if pretrain is None:
            pretrain = 0 if self._knows_faces() or self.epochs == 1 else max(1, round(self.epochs / 5))
        return pretrain, self.epochs - pretrain

    def parts(self) -> list[int]:
        """Epochs of each part of the adversarial phase, those with less detail first: equal where nothing is set."""
        _, adversarial = self.split()
        if lengths := self.adversarial.progressive_epochs:
            return [*lengths, adversarial - sum(lengths)]
        count = len(self.adversarial.progressive) + 1
        return [adversarial * (part + 1) // count - adversarial * part // count for part in range(count)]

    def _sizes(self) -> dict[str, Any]:
        """What is published, where there are real images and nothing else was set."""
        unset = PUBLISHED.keys() - self.model.model_fields_set if self.data is not None else set()
        return {name: value for name, value in PUBLISHED.items() if name in unset}

    def _knows_faces(self) -> bool:
        """Whether the discriminator begins with weights."""
        patterns = self.init_filter or ("*",)
        if self.init_from is None:
            return False
        try:
            names = safetensors_header(find_weights(self.init_from))
        except (
            RestoreError
        ):  # checkpoints, which have discriminators; what is no weights at all is refused when it is read
            return any(pattern.startswith(("discriminator", "*")) for pattern in patterns)
        held = [name for name in names if name.startswith("discriminator.")]
        return any(fnmatchcase(name, pattern) for name in held for pattern in patterns)

    # What follows reads the data, and only where it is needed: settings alone must load without torch.

    def resolved(self) -> Self:
        """A copy with the people counted, the lengths of all phases but the last fixed, and published sizes for faces.

        Raises UsageError or DataError where the data are not what they have to be.
        """
        model: dict[str, Any] = self._sizes()
        if not self.model.identities:
            model["identities"] = self._identities()
        settings = super().resolved()
        adversarial = settings.adversarial.model_copy(update={"progressive_epochs": settings.parts()[:-1]})
        return settings.model_copy(update={"model": self.model.model_copy(update=model), "adversarial": adversarial})

    def _identities(self) -> int:
        if self.data is None:
            return SAMPLE_IDENTITIES
        from restore.plugins.warpgan.data.index import group_by_identity, read_entries

        return len(group_by_identity(read_entries(self.data, self.list_file), self.list_file or self.data))
