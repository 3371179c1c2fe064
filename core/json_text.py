"""JSON from measured values; some of them may be infinite or NaN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def dump_json(value: Any, indent: int | None = 2) -> str:
    """Return ``value`` as JSON text. Infinity and NaN become null.

    Dataclasses become objects, and other types that JSON lacks (such as paths) become text.
    """
    from pydantic_core import to_json  # takes 60 ms to import

    try:
        return to_json(value, indent=indent, inf_nan_mode="null", fallback=str).decode()
    except (ValueError, UnicodeError):  # a file name that is not UTF-8
        return to_json(_printable(_plain(value)), indent=indent, inf_nan_mode="null", fallback=str).decode()


def _plain(value: Any) -> Any:
    """Return a value with dataclasses as dictionaries."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _printable(value: Any) -> Any:
    """Return plain data whose text is Unicode: bytes of names that are not UTF-8 become replacement characters."""
    if isinstance(value, str | Path):
        return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_printable(key): _printable(each) for key, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list) else value
