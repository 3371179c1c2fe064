"""Short names of models, for headings and for the folders of their results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.model_labels import refuse_twice

if TYPE_CHECKING:
    from restore.cli.model_ref import ModelRef


def name_folders(models: Sequence[ModelRef]) -> list[str]:
    """Return a name for each model: that of its run or weights file, or the registered one; all are different.

    Where the last part of two paths is the same, more of them is used: ``a-best`` and ``b-best``. Raises UsageError if
    one model is given twice.
    """
    refuse_twice(models, "; --compare needs different models")
    parts = [_parts(model) for model in models]
    depth = 1
    while True:
        names = ["-".join(own[-depth:]) for own in parts]
        # Some file systems do not distinguish A and a.
        if len({name.casefold() for name in names}) == len(names):
            return names
        if depth > max(map(len, parts)):
            return [f"{name}-{number}" for number, name in enumerate(names, 1)]
        depth += 1


def _parts(model: ModelRef) -> list[str]:
    """Return the words of a name, each fit for a file name."""
    path = Path(model.name)
    words = [*path.parent.parts, path.name if path.is_dir() else path.stem] if path.exists() else model.name.split("/")
    return [word for each in words if (word := re.sub(r"[^\w.-]+", "_", each).strip("._"))] or ["model"]
