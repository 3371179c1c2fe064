"""Short names for several models, such as the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from restore.cli.model_ref import ModelRef
from restore.core.errors import UsageError


def label_models(models: Sequence[ModelRef]) -> list[str]:
    """Return a short label for each model: the phase of a run, the name of a classical method, else what was typed.

    Equal labels get the name of the plugin in front, and become what was typed if they are still equal. Raises
    UsageError if one model is given twice.
    """
    twice = [name for name, count in Counter(model.name for model in models).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice")
    short = [_label_model(model) for model in models]
    full = [f"{model.entry.plugin}/{label}" for model, label in zip(models, short, strict=True)]
    labels = [long if short.count(label) > 1 else label for label, long in zip(short, full, strict=True)]
    return [model.name if labels.count(label) > 1 else label for model, label in zip(models, labels, strict=True)]


def _label_model(model: ModelRef) -> str:
    """Return the name of a classical method or of shipped weights, the phase of a run, or the path of other weights."""
    if model.header is None:
        return model.entry.name
    return model.name if model.shipped else model.header.phase or model.name
