"""Settings of spandrel's architectures. Imports no torch."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue, field_validator

from restore.core.settings import Settings


class SpandrelSettings(Settings):
    """What an architecture of spandrel is built with."""

    variant: str | None = None
    """Name of the class in spandrel, where an architecture has several, such as RealPLKSR; unset: the first one."""
    parameters: dict[str, JsonValue] = {}  # noqa: RUF012 - pydantic copies it
    """Arguments of the class, such as {"num_filters": 32, "num_blocks": 4}; those that are not given have the defaults
    of the class."""

    @field_validator("parameters", mode="before")
    @classmethod
    def _sequences_are_lists(cls, value: Any) -> Any:
        return to_json(value)


def to_json(value: Any) -> Any:
    """Return a value with lists instead of tuples, as JSON has it."""
    if isinstance(value, dict):
        return {str(key): to_json(each) for key, each in value.items()}
    return [to_json(each) for each in value] if isinstance(value, list | tuple) else value
