"""Settings as they are typed on the command line. Imports no torch."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from typing import Any

from restore.core.json_text import dump_json
from restore.core.named import NamedSettings
from restore.core.setting_types import is_list, needs_json, unwrap


def type_setting(path: Sequence[str], value: Any, annotation: Any) -> list[str]:
    """Return the words that give a setting a value: ``["--optimizer.lr", "0.001"]``.

    Args:
        path: names of the groups that the setting is in, and its own.
        value: the value, as the settings object holds it.
        annotation: the type of the field.
    """
    flag = "--" + ".".join(path).replace("_", "-")
    kind = unwrap(annotation)
    if value is None:
        return [flag, "none"]
    if kind is bool:
        return [flag if value else f"--no-{flag[2:]}"]
    if needs_json(kind):
        return [flag, json.dumps(json.loads(dump_json(value)))]
    if not isinstance(value, (list, tuple, set, frozenset)):
        return [flag, _word(value)]
    words = [_word(each) for each in value]
    if not words:
        return [flag, "none"]
    return [part for word in words for part in (flag, word)] if is_list(kind) else [flag, *words]


def _word(value: Any) -> str:
    if isinstance(value, NamedSettings):
        return value.to_text()
    return str(value.value if isinstance(value, enum.Enum) else value)
