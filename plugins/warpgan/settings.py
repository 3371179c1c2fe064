"""Settings of WarpGAN. Imports no torch."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator
from typing_extensions import override

from restore.core.errors import RestoreError
from restore.core.optimizer_settings import OptimizerSettings
from restore.core.settings import Flag, RegisteredName, ResumeSafe, Settings
from restore.core.weights.header import find_weights
from restore.core.weights.safetensors_format import safetensors_header
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.registered import RegisteredSettings

SAMPLE_IDENTITIES = 12
"""Number of identities in the synthetic sample."""

PUBLISHED_SIZE = 256
"""Side of the faces in the paper, used with ``--data``; the default suits the synthetic sample and a small machine."""

PUBLISHED_CHANNELS = {"warpgan/warp-generator": 64, "warpgan/identity-discriminator": 32}
"""Channels of the paper's networks, likewise."""


class DiscriminatorSettings(RegisteredSettings):
    """The discriminator, which weights files contain too."""

    architecture: Annotated[
        str, RegisteredName("architectures", roles=("identity-discriminator",)), Flag("--discriminator.architecture")
    ] = "warpgan/identity-discriminator"
    """Architecture of the discriminator."""


class ModelSettings(RegisteredSettings):
    """Generator and discriminator: everything needed to rebuild them."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("warping",)), Flag("--arch")] = (
        "warpgan/warp-generator"
    )
    """Architecture of the generator."""
    size: Annotated[int, Field(ge=32, multiple_of=4)] = 64
    """Side of the aligned faces in pixels. Default with --data: 256, as published."""
    style: Annotated[int, Field(ge=1)] = 8
    """Dimensions of the style code."""
    identities: Annotated[int, Field(ge=0)] = 0
    """Number of identities; 0: counted in the data and written to the configuration."""
    discriminator: DiscriminatorSettings = Field(default_factory=DiscriminatorSettings)
    """The discriminator."""


class LossSettings(Settings):
    """Weights of the loss terms; those of the paper where it has the term."""

    patch: Annotated[float, Field(ge=0)] = 2.0
    """Weight of the patch adversarial loss (classes: caricature, photograph, generated)."""
    identity: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the identity-preserving adversarial loss (classes: each identity's caricatures, photographs and
    generated images)."""
    caricature_texture: Annotated[float, Field(ge=0)] = 10.0
    """Weight of the L1 reconstruction of caricatures in their own style, without the warp."""
    photograph_texture: Annotated[float, Field(ge=0)] = 10.0
    """Weight of the L1 reconstruction of photographs in their own style, without the warp."""
    outside: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the penalty on control points outside the image; not in the paper (0)."""
    folds: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the penalty on positions where the warp folds over; not in the paper (0)."""


class PretrainSettings(Settings):
    """First phase: the discriminator learns face recognition. The paper starts from a face recognition network."""

    epochs: Annotated[int, Field(ge=0)] | None = None
    """Epochs of this phase; unset: a fifth of --epochs, at least one, but zero if --init-from loads a discriminator."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=5e-4, betas=(0.5, 0.9), weight_decay=1e-4)
    """Optimizer of the discriminator."""


class AdversarialSettings(Settings):
    """Second phase: generator against discriminator."""

    progressive: list[Annotated[int, Field(ge=4)]] = []  # noqa: RUF012 - pydantic copies it
    """Progressive training: image sizes in pixels for the earlier stages of this phase, in ascending order. Images are
    downscaled to each size and back, so that detail is added in stages; the networks keep their size. Unset: one
    stage."""
    progressive_epochs: list[Annotated[int, Field(ge=1)]] = []  # noqa: RUF012 - as above
    """Epochs of each of these stages. Unset: stages of equal length. A run stores the lengths, so resuming with more
    --epochs lengthens the last stage only."""
    generator: OptimizerSettings = OptimizerSettings(lr=1e-3, betas=(0.5, 0.9), weight_decay=1e-4)
    """Optimizer of the generator; the paper's learning rate, for 100,000 steps, is 1e-4."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=3e-4, betas=(0.5, 0.9), weight_decay=1e-4)
    """Optimizer of the discriminator; the paper's learning rate is 1e-4."""


class WarpGANSettings(TwoPhaseSettings):
    """Train WarpGAN in two phases: the discriminator learns face recognition, then adversarial training.

    --data is a folder with one folder per person, as in WebCaricature: photographs P00001, …, caricatures C00001, …,
    all aligned (restore data align). Without --data it trains on synthetic faces: 12 people, each with 10 photographs
    and 10 caricatures.
    """

    sample_steps: ClassVar[int | None] = 240  # of 2 pairs: each photograph four times

    model: ModelSettings = Field(default_factory=ModelSettings)
    """The two networks."""
    list_file: Annotated[Path | None, Flag("--list")] = None
    """Text file with the training images, one line "path" or "path person" each, relative to --data."""
    val_list: Path | None = None
    """Text file with the validation images, relative to --val-data, or to --data if that is unset."""
    flip: bool = True
    """Flip training images horizontally with probability 0.5."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 5
    batch_size: Annotated[int, Field(ge=1)] = 2
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.99
    loss: LossSettings = LossSettings()
    """Weights of the generator's losses."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Second phase."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        sizes = [*self.adversarial.progressive, self._model().size]
        if any(after <= before for before, after in pairwise(sizes)):
            raise ValueError(
                f"adversarial.progressive={sizes[:-1]}: sizes must be ascending and below model.size={sizes[-1]}"
            )
        return self

    @model_validator(mode="after")
    def _leaves_epochs(self) -> Self:
        pretrain, adversarial = self.split()
        sizes, lengths = self.adversarial.progressive, self.adversarial.progressive_epochs
        if lengths and len(lengths) != len(sizes):
            raise ValueError(
                f"adversarial.progressive_epochs has {len(lengths)} length(s) for {len(sizes)} size(s) in "
                "adversarial.progressive; give one for each size, or leave it out"
            )
        if adversarial < (sum(lengths) or len(sizes)) + 1:
            asked = f" ({lengths} epochs, then the last stage)" if lengths else ""
            raise ValueError(
                f"epochs={self.epochs}: after {pretrain} for pretraining, {adversarial} remain for the "
                f"{len(sizes) + 1} stage(s) of the adversarial phase{asked}, which need at least one each; "
                "raise --epochs, or set --pretrain.epochs 0"
            )
        return self

    @override
    def split(self) -> tuple[int, int]:
        """Return the epochs of pretraining and of the adversarial phase; by default 1 to 4."""
        pretrain = self.pretrain.epochs
        if pretrain is None:
            pretrain = 0 if self._knows_faces() or self.epochs == 1 else max(1, round(self.epochs / 5))
        return pretrain, self.epochs - pretrain

    def parts(self) -> list[int]:
        """Return the epochs of each stage of the adversarial phase, coarse stages first; equal by default."""
        _, adversarial = self.split()
        if lengths := self.adversarial.progressive_epochs:
            return [*lengths, adversarial - sum(lengths)]
        count = len(self.adversarial.progressive) + 1
        return [adversarial * (part + 1) // count - adversarial * part // count for part in range(count)]

    def _model(self) -> ModelSettings:
        """Return the model; with ``--data``, of the published sizes where they were not set."""
        if self.data is None:
            return self.model
        sizes = _get_published_channels(self.model)
        if "size" not in self.model.model_fields_set:
            sizes["size"] = PUBLISHED_SIZE
        discriminator = self.model.discriminator
        discriminator = discriminator.model_copy(update=_get_published_channels(discriminator))
        return self.model.model_copy(update={**sizes, "discriminator": discriminator})

    def _knows_faces(self) -> bool:
        """Whether the discriminator starts from loaded weights."""
        patterns = self.init_filter or ("*",)
        if self.init_from is None:
            return False
        try:
            names = safetensors_header(find_weights(self.init_from))
        except RestoreError:  # a checkpoint, which has a discriminator; other files are rejected when they are read
            return any(pattern.startswith(("discriminator", "*")) for pattern in patterns)
        held = [name for name in names if name.startswith("discriminator.")]
        return any(fnmatchcase(name, pattern) for name in held for pattern in patterns)

    # What follows reads the data, and only where it is needed: settings alone must load without torch.

    @override
    def resolved(self) -> Self:
        """Return a copy with the number of identities, all stage lengths but the last and the default sizes filled in.

        Raises UsageError or DataError for unusable data.
        """
        model = self._model()
        if not model.identities:
            model = model.model_copy(update={"identities": self._identities()})
        settings = super().resolved()
        adversarial = settings.adversarial.model_copy(update={"progressive_epochs": settings.parts()[:-1]})
        return settings.model_copy(update={"model": model, "adversarial": adversarial})

    def _identities(self) -> int:
        if self.data is None:
            return SAMPLE_IDENTITIES
        from restore.plugins.warpgan.data.index import group_by_identity, read_entries

        return len(group_by_identity(read_entries(self.data, self.list_file), self.list_file or self.data))


def _get_published_channels(group: RegisteredSettings) -> dict[str, Any]:
    """Return the channels of the paper for a network of the paper whose channels were not set."""
    known = PUBLISHED_CHANNELS.get(group.full_name)
    return {} if known is None or "channels" in group.model_fields_set else {"channels": known}
