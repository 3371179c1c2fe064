"""Settings of restoration and its classical methods. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field
from typing_extensions import override

from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import Flag, RegisteredName, ResumeSafe, RunSettings, Settings
from restore.plugins.common.loss_settings import ImageLossSettings, OneOrSeveral
from restore.plugins.common.registered import RegisteredSettings
from restore.plugins.restorer.sample_recipe import ARCHITECTURE, SAMPLE_RECIPE


class ModelSettings(RegisteredSettings):
    """The network: everything needed to rebuild it."""

    architecture: Annotated[
        str, RegisteredName("architectures", roles=("restoration", "super-resolution")), Flag("--arch")
    ] = "restorer/dncnn"
    """Architecture of the network; one for super-resolution is built with scale 1. Default without --data and without
    a size: a small restorer/drunet."""


class DataSettings(RegisteredSettings):
    """The pairs of degraded and clean images."""

    name: Annotated[str, RegisteredName("datasets", roles=("restoration",)), Flag("--dataset")] = "restorer/noisy"
    """Dataset to train and validate on."""


class RestorerSettings(RunSettings):
    """Train a network that maps degraded images to clean ones of the same size."""

    sample_dataset: ClassVar[str | None] = "restorer/noisy"

    model: ModelSettings = Field(default_factory=ModelSettings)
    """The network."""
    dataset: DataSettings = Field(default_factory=DataSettings)
    """The data."""
    crop_size: Annotated[int, Field(ge=8)] = 64
    """Side of the training crops in pixels."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 50
    loss: Annotated[tuple[ImageLossSettings, ...], OneOrSeveral] = Field(
        default_factory=lambda: (ImageLossSettings(name="common/l1"),)
    )
    """Loss by its registered name, with a weight and its own settings if need be:
    common/charbonnier,weight=0.5,epsilon=1e-3."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.999
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-3, schedule=ScheduleSettings(name="cosine"))
    """The optimizer."""

    @classmethod
    @override
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the sample recipe (a small network), without the network if another one, or a size, was chosen."""
        model = given.get("model") or {}
        sized = set(model) - {"architecture"}
        if not sized and ModelSettings.full_name_in({"architecture": ARCHITECTURE, **model}) == ARCHITECTURE:
            return SAMPLE_RECIPE
        return {name: value for name, value in SAMPLE_RECIPE.items() if name not in ("model", "optimizer")}

    @property
    @override
    def recipe(self) -> str | None:
        """Describe the sample recipe, and how to get the published network."""
        if not self.on_sample or self.model.architecture != ARCHITECTURE:
            return None
        own = self.model.own_values()
        return (
            f"sample: a small network ({ARCHITECTURE}, {own['channels']} channels, {own['scales']} scales); for the "
            "published default: --arch restorer/dncnn"
        )

    @override
    def resolved(self) -> Self:
        """Return a copy with the settings of the losses filled in."""
        loss = tuple(term.resolved() for term in self.loss)
        return super().resolved().model_copy(update={"loss": loss})


class RestorerEvaluateOptions(Settings):
    """Options of ``restore evaluate``."""

    dataset: DataSettings = Field(default_factory=DataSettings)
    """The pairs to measure on."""


class NonLocalMeansModel(Settings):
    """Strength of the filter."""

    sigma: Annotated[float, Field(gt=0, le=255)] | None = None
    """Standard deviation of the noise, of 255; unset: estimated in each image."""


class NonLocalMeansSettings(Settings):
    """Settings of non-local means."""

    model: NonLocalMeansModel = NonLocalMeansModel()
    """Strength of the filter."""


class NonLocalMeansOptions(NonLocalMeansModel):
    """Options of ``restore predict``."""


class IdentitySettings(Settings):
    """Settings of the method that changes nothing (none)."""
