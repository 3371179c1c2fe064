"""Division of a run's epochs into pretraining and an adversarial phase. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator
from typing_extensions import override

from restore.core.settings import RunSettings


class TwoPhaseSettings(RunSettings):
    """Settings of a run that pretrains and then trains adversarially.

    A family declares the groups ``pretrain`` and ``adversarial``, each with ``epochs``. If ``adversarial`` has no such
    setting, it gets the epochs that pretraining leaves, and the family overrides ``split``.
    """

    if TYPE_CHECKING:
        pretrain: Any
        adversarial: Any

    @model_validator(mode="after")
    def _epochs_add_up(self) -> Self:
        adversarial = getattr(self.adversarial, "epochs", None)
        check_shares(self.epochs, self.pretrain.epochs, adversarial, given="epochs" in self.model_fields_set)
        return self

    def split(self) -> tuple[int, int]:
        """Return the epochs of pretraining and of the adversarial phase; see ``shares``."""
        return shares(self.epochs, self.pretrain.epochs, self.adversarial.epochs)

    @override
    def resolved(self) -> Self:
        """Return a copy with the phase lengths fixed; extra ``epochs`` on resume go to the adversarial phase.

        A run that was told to have no adversarial phase keeps none: extra epochs go to pretraining.
        """
        settings = super().resolved()
        pretrain, adversarial = settings.split()
        given = getattr(settings.adversarial, "epochs", None)
        fixed = None if given == 0 else pretrain
        changes = {
            "epochs": pretrain + adversarial,
            "pretrain": settings.pretrain.model_copy(update={"epochs": fixed}),
        }
        if given:
            changes["adversarial"] = settings.adversarial.model_copy(update={"epochs": None})
        return settings.model_copy(update=changes)


def shares(epochs: int, pretrain: int | None, adversarial: int | None) -> tuple[int, int]:
    """Return the epochs of pretraining and of the adversarial phase; by default 4 to 1.

    A single epoch is pretraining: an adversarial phase would only harm an untrained generator.

    >>> shares(20, None, None), shares(1, None, None), shares(20, 5, None), shares(20, None, 2)
    ((16, 4), (1, 0), (5, 15), (18, 2))
    """
    if adversarial is None:
        fifth = max(1, round(epochs / 5)) if epochs > 1 else 0
        adversarial = fifth if pretrain is None else epochs - pretrain
    return (epochs - adversarial if pretrain is None else pretrain), adversarial


def check_shares(epochs: int, pretrain: int | None, adversarial: int | None, *, given: bool) -> None:
    """Raise ValueError if the phases do not add up to ``epochs``; ``given``: the user set ``epochs``."""
    if pretrain is not None and adversarial is not None:
        if pretrain + adversarial == 0:
            raise ValueError("pretrain.epochs and adversarial.epochs are both 0; raise one of them")
        if given and epochs != pretrain + adversarial:
            raise ValueError(
                f"epochs={epochs} is not pretrain.epochs={pretrain} plus adversarial.epochs={adversarial}; "
                f"set --epochs {pretrain + adversarial}, or leave one of the three out"
            )
    elif pretrain is not None and pretrain > epochs:
        raise ValueError(f"pretrain.epochs={pretrain} is more than epochs={epochs}, the total; lower it")
    elif adversarial is not None and adversarial > epochs:
        raise ValueError(f"adversarial.epochs={adversarial} is more than epochs={epochs}, the total; lower it")
