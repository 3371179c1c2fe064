"""Settings of an optimizer and its learning-rate schedule. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings


class ScheduleSettings(Settings):
    """Learning-rate schedule of one phase."""

    name: Literal["constant", "linear", "cosine", "one-cycle", "multi-step", "plateau"] = "constant"
    """Shape of the schedule."""
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the phase in which the rate rises linearly from zero (one-cycle: the rising fraction)."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.0
    """linear, cosine, one-cycle: final rate as a fraction of lr."""
    milestones: list[Annotated[float, Field(ge=0, le=1)]] = [0.5, 0.75]  # noqa: RUF012
    """multi-step: fractions of the phase at which the rate is multiplied by gamma."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.5
    """multi-step, plateau: factor of each decrease."""
    patience: Annotated[int, Field(ge=0)] = 5
    """plateau: evaluations without improvement before a decrease."""
    per: Literal["step", "epoch"] = "step"
    """How often the rate is updated; plateau updates it after evaluations only."""


class OptimizerSettings(Settings):
    """An optimizer with its schedule and gradient clipping."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    """Optimizer."""
    lr: Annotated[float, Field(gt=0)] = 1e-4
    """Peak learning rate."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    """adam, adamw: decay of the two running averages (rmsprop uses the second)."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """sgd, rmsprop: momentum."""
    nesterov: bool = False
    """sgd: Nesterov momentum."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Weight decay."""
    lr_factors: dict[str, Annotated[float, Field(ge=0)]] = {}  # noqa: RUF012
    """Parameters with another learning rate: factors of lr by name, as {"generator.upsample.*": 0.1}; * stands for
    anything, and the first name that fits counts."""
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    """Clip this optimizer's gradient to this norm."""
    schedule: ScheduleSettings = ScheduleSettings()
    """Learning-rate schedule."""

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.name == "sgd" and self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0; raise momentum or turn nesterov off")
        return self
