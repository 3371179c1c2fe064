"""What models are called beside their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from restore.cli.model_ref import ModelRef
from restore.core.errors import UsageError


def label_models(models: Sequence[ModelRef]) -> list[str]:
    """Return what each model is called in tables and files: what was typed, without a separator at its end.

    A model has the same label whatever is measured beside it. Raises UsageError if one model is given twice.
    """
    refuse_twice(models)
    return [model.name.rstrip("/\\") or model.name for model in models]


def refuse_twice(models: Sequence[ModelRef], advice: str = "") -> None:
    """Raise UsageError if one run, file or method is given twice, by whatever name; ``advice`` ends the message."""
    seen: dict[str, str] = {}
    for model in models:
        place = model.entry.full_name if model.weights is None else str(model.weights.resolve())
        if place in seen:
            also = "" if seen[place] == model.name else f", also as {model.name}"
            raise UsageError(f"{seen[place]} is given twice{also}{advice}")
        seen[place] = model.name
