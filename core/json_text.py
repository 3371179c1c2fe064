"""JSON from measured values; some of them may be infinite or NaN."""

from __future__ import annotations

from typing import Any


def dump_json(value: Any, indent: int | None = 2) -> str:
    """Return ``value`` as JSON text. Infinity and NaN become null.

    Dataclasses become objects, and other types that JSON lacks (such as paths) become text.
    """
    from pydantic_core import to_json  # takes 60 ms to import

    return to_json(value, indent=indent, inf_nan_mode="null", fallback=str).decode()
