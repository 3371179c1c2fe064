"""JSON from measured values, of which some may be infinite or NaN."""

from __future__ import annotations

from typing import Any


def dump_json(value: Any, indent: int | None = 2) -> str:
    """Return ``value`` as JSON text. Infinity and NaN, which JSON does not have, become null.

    Dataclasses become objects, and what JSON cannot express (such as a path) becomes text.
    """
    from pydantic_core import to_json  # takes 60 ms to import

    return to_json(value, indent=indent, inf_nan_mode="null", fallback=str).decode()
