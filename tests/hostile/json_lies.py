"""Changes of plain data: values of wrong types and sizes at any place."""

from __future__ import annotations

import copy
import random
from typing import Any

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 7, 64, 20_000, 10**9, 2**63, 10**40, 0.5, -2.5, 1e-300, 1e308),
    *(float("inf"), float("-inf"), float("nan"), "", "x", "\x1b[31m", "\x00", "\ud800", "9" * 5000, "a" * 100_000),
    *("../../etc/passwd", "auto", "nan", [], {}, [[]], {"a": {}}, [None], ["\x1b"], {"": 1}, [1] * 1000),
)
"""Values that hardly any place expects."""


def places(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the trails to every value inside another."""
    if isinstance(value, dict):
        return [place for key in value for place in ((*trail, key), *places(value[key], (*trail, key)))]
    if isinstance(value, list):
        return [place for key in range(len(value)) for place in ((*trail, key), *places(value[key], (*trail, key)))]
    return []


def change_value(value: Any, rng: random.Random) -> Any:
    """Return plain data in which one to three values are replaced, removed or renamed."""
    changed = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        found = places(changed)
        if not found:
            return rng.choice(ODD)
        trail = rng.choice(found)
        inside = changed
        for key in trail[:-1]:
            inside = inside[key]
        match rng.randrange(6):
            case 0:
                del inside[trail[-1]]
            case 1 if isinstance(inside, dict):
                inside[rng.choice(("x", "", "\x1b[0m", "b" * 3000, "size", "__class__"))] = inside.pop(trail[-1])
            case 2:
                inside[trail[-1]] = nested(rng.choice((5, 50, 200)), rng)
            case _:
                inside[trail[-1]] = copy.deepcopy(rng.choice(ODD))
    return changed


def nested(depth: int, rng: random.Random) -> Any:
    """Return lists or mappings inside one another."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value} if rng.random() < 0.5 else [value]
    return value
