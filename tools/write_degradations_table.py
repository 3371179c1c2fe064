"""Write the table of ``docs/degradations.md``: the values of every preset.

    python tools/write_degradations_table.py

The values come from ``plugins/common/degradation/presets.py``; edit that, not the page. A test fails when the two
differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from restore.core.settings import Settings
from restore.plugins.common.degradation.presets import Preset
from restore.plugins.common.degradation.settings import DegradationSettings

PAGE = Path(__file__).parents[1] / "docs" / "degradations.md"
BEGIN, END = "<!-- written by: python tools/write_degradations_table.py (begin) -->", "<!-- (end) -->"
EQUAL_EVERYWHERE = ("filters", "kernels")
"""Settings that the page describes in words."""
PRESETS = [preset for preset in get_args(Preset) if preset != "none"]


def render_table() -> str:
    """Return the table: a row per setting that some preset uses, a column per preset."""
    columns = [dict(flatten(DegradationSettings(preset=preset))) for preset in PRESETS]
    rows = [f"| setting | {' | '.join(f'`{preset}`' for preset in PRESETS)} |", "|---" * (1 + len(PRESETS)) + "|"]
    for name in columns[0]:
        shown = [format_value(column[name]) if is_used(name, column) else "" for column in columns]
        if any(shown):
            rows.append(f"| `{name.replace('_', '-')}` | {' | '.join(shown)} |")
    return "\n".join(rows)


def flatten(settings: Settings, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of settings and of the groups in them, by their names on the command line."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            yield from flatten(value, f"{above}{name}.")
        elif name != "preset":
            yield f"{above}{name}", value


def is_used(name: str, values: dict[str, Any]) -> bool:
    """Return whether a value has an effect: the probabilities of its group are not all zero."""
    group, _, own = name.rpartition(".")
    if own in ("sharpen_target", "sinc"):
        return bool(values[name])
    probabilities = [values.get(f"{group}.{each}", 0) for each in ("probability", "up", "down")]
    if own == "poisson_scale" and not values[f"{group}.poisson"]:
        return False
    if own == "webp" and not values[name]:
        return False
    return any(probabilities) and values[name] is not False and own not in EQUAL_EVERYWHERE


def format_value(value: Any) -> str:
    """Return a value as a cell of the table."""
    if value is True:
        return "yes"
    if isinstance(value, tuple):
        return " to ".join(f"{each:g}" for each in value)
    return f"{value:g}"


def insert(page: str) -> str:
    """Return the page with the table in its place."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{render_table()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text("utf-8")), "utf-8", newline="\n")
