"""Find the architecture of spandrel that a checkpoint is closest to, for the message that refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import spandrel
from torch import Tensor

ENOUGH = 0.5
"""Share of the names that an architecture is told by which a file must have to be called close to it."""
_NAMED = 3  # missing names in a message


class _Asked(dict[str, Any]):
    """A state that seems to have every name, and remembers which it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __contains__(self, name: object) -> bool:
        self.names.append(str(name))
        return True


def describe_nearest(tensors: Mapping[str, Tensor]) -> str:
    """Return which architecture has the most of these names, and what is missing; empty if none is close."""
    found = []
    for support in spandrel.MAIN_REGISTRY.architectures("detection"):
        asked = _Asked()
        try:
            support.detect(asked)
        except Exception:  # noqa: BLE001 - it looks at shapes too, which tells nothing here
            continue
        missing = [name for name in asked.names if name not in tensors]
        if asked.names:
            found.append((len(missing) / len(asked.names), support.architecture.name, missing, len(asked.names)))
    if not found:
        return ""
    share, name, missing, count = min(found, key=lambda each: each[0])
    if share > 1 - ENOUGH:
        return ""
    named = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
    return f"the nearest is {name}: {len(missing)} of the {count} names that it is told by are missing ({named})"
