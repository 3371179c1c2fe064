"""Build the losses that are chosen by name, and add their terms."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from restore.core.dataset import Batch
from restore.core.loss_contracts import check_loss
from restore.core.training_step import Loss, Terms
from restore.plugins.common.loss_settings import LossSettings


class WeightedLosses:
    """The weighted terms of several losses.

    Args:
        chosen: the losses, each with its weight and its settings.

    Raises:
        ContractBroken: a loss does not do what its role promises.
    """

    def __init__(self, chosen: Sequence[LossSettings]) -> None:
        self._losses: list[tuple[LossSettings, Loss]] = []
        for settings in chosen:
            loss: Loss = settings.load()(**settings.own_values())
            if settings.role != "segmentation":  # whether such a loss fits depends on the masks
                check_loss(loss, settings.role, settings.full_name)
            self._losses.append((settings, loss))

    def networks(self) -> dict[str, nn.Module]:
        """Return the losses that are networks, such as a perceptual loss: a task adds them to its frozen networks."""
        return {f"loss_{place}": loss for place, (_, loss) in enumerate(self._losses) if isinstance(loss, nn.Module)}

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the terms of all losses; a name that two of them give begins with that of its loss in the second."""
        terms: dict[str, Tensor] = {}
        for settings, loss in self._losses:
            for name, value in loss(prediction, batch).items():
                free = name if name not in terms else f"{settings.full_name.replace('/', '_')}_{name}"
                terms[free] = settings.weight * value
        return terms
