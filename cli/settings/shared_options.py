"""What the methods of one table must have in common: options that a run fixes, such as its scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from restore.cli.model_ref import ModelRef
from restore.cli.settings.setting import SettingPath, list_settings
from restore.cli.settings.sources import Source
from restore.core.errors import UsageError
from restore.core.settings import Settings


def find_fixed_options(models: Sequence[ModelRef], classes: Sequence[type[Settings]]) -> dict[SettingPath, Source]:
    """Return the options of methods without weights that the model settings of a run of the same name fix.

    A bicubic beside a run that upscales twice has to upscale twice too.

    Args:
        models: the methods of one table.
        classes: the options of each.

    Raises:
        UsageError: two runs fix one option differently.
    """
    wanted = {
        setting.path: model.name
        for model, options in zip(models, classes, strict=True)
        if model.header is None
        for setting in list_settings(options)
        if len(setting.path) == 1
    }
    fixed: dict[SettingPath, Source] = {}
    for path, method in wanted.items():
        for model in models:
            if not has_fixed(model, path):
                continue
            value = _settings_of(model)[path[0]]
            before = fixed.setdefault(path, Source(model.name, {path: value}))
            if before.values[path] != value:
                raise UsageError(
                    f"{method} cannot be compared with both {before.origin} ({path[0]} {before.values[path]}) and "
                    f"{model.name} ({path[0]} {value}); compare them separately"
                )
    return fixed


def has_fixed(model: ModelRef, path: SettingPath) -> bool:
    """Return whether the weights of a model fix an option."""
    return len(path) == 1 and isinstance(_settings_of(model).get(path[0]), int | float | str)


def refuse_contradiction(fixed: Source, path: SettingPath, value: Any, typed: str) -> None:
    """Raise ``UsageError`` if the value of an option, typed as ``typed``, is not that of the run in the table."""
    if value != type(value)(fixed.values[path]):
        raise UsageError(
            f"{typed}: {fixed.origin} has {path[0]} {fixed.values[path]}, and everything in one "
            "table needs the same; leave it out"
        )


def _settings_of(model: ModelRef) -> Mapping[str, Any]:
    return {} if model.header is None else model.header.model
