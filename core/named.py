"""Settings that can be written as one word: ``NAME,setting=value,setting=value``. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from restore.core.settings import Settings


class NamedSettings(Settings):
    """Settings whose first value is a name; a list of them is typed as one word each.

    For example ``common/charbonnier,weight=0.5,epsilon=1e-3``.
    """

    def to_text(self) -> str:
        """Return the settings as one word, without those that have their default."""
        tree = self.model_dump(mode="json")
        name, *others = tree
        changed = self.model_dump(mode="json", exclude_defaults=True)
        return ",".join([str(tree[name]), *(f"{key}={_to_text(tree[key])}" for key in others if key in changed)])


def parse_named(text: str, name_field: str) -> dict[str, Any]:
    """Return the values in ``NAME,setting=value``, or those of a JSON object; pydantic reads the single values.

    Raises:
        ValueError: the text has another form.
    """
    if text.startswith("{"):
        found = json.loads(text)
        return dict(found)
    name, *parts = text.split(",")
    values: dict[str, Any] = {name_field: name.strip()}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{part!r} has no value; write NAME,setting=value")
        values[key.strip().replace("-", "_")] = value.strip()
    return values


def _to_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (Mapping, list)) else str(value)
