"""Build the losses that are chosen by name, and add their terms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

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
        UnfitForRole: a loss does not do what its role promises.
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
        """Return the terms of all losses; see `join_terms` for a name that two of them give."""
        terms: Terms = {}
        for settings, loss in self._losses:
            weighted = {name: settings.weight * value for name, value in loss(prediction, batch).items()}
            terms = join_terms(terms, weighted, settings.full_name.replace("/", "_"))
        return terms


def join_terms(terms: Terms, more: Terms, owner: str) -> dict[str, Tensor]:
    """Return both, and lose none: a name that is taken begins with ``owner``, and ends with a number if need be."""
    joined = dict(terms)
    for name, value in more.items():
        names = chain((name, f"{owner}_{name}"), (f"{owner}_{name}_{number}" for number in count(2)))
        joined[next(free for free in names if free not in joined)] = value
    return joined
