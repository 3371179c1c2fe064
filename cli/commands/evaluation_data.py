"""Refuse to measure a run on other images than its own numbers are of, unless the images are named."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from restore.cli.model_ref import ModelRef
from restore.core.errors import UsageError

if TYPE_CHECKING:
    from restore.core.settings import Settings


def refuse_other_dataset(model: ModelRef, options: Settings | None) -> None:
    """Raise UsageError for a run that was trained on another dataset than it would be measured on."""
    trained = _read_run(model).get("dataset")
    measured = options.model_dump(mode="json").get("dataset") if options is not None else None
    if isinstance(trained, Mapping) and measured is not None and trained != measured:
        words = [word for name, value in trained.items() for word in _as_words(name, value)]
        raise UsageError(
            f"{model.name} was trained on another dataset than it would be measured on; give the one to measure on: "
            f"{shlex.join(words)}"
        )


def refuse_sample(model: ModelRef) -> None:
    """Raise UsageError for a run that was validated on other data: its metrics are not those of the sample."""
    config = _read_run(model)
    data = config.get("val_data") or config.get("data")
    if data:
        trained = f"trained on {config['data']}" if config.get("data") else f"validated on {data}"
        other = shlex.quote(str(config["val_data"])) if config.get("val_data") else "FOLDER"
        raise UsageError(f"{model.name} was {trained}; give the images to measure on: --data {other}")


def _read_run(model: ModelRef) -> Mapping[str, Any]:
    """Return the settings of the run that weights are of; empty if the weights lie alone."""
    from restore.core.runs.folder import read_config, read_task

    if model.weights is None or not (model.weights.parent / "config.yaml").is_file():
        return {}
    try:
        read_task(model.weights.parent)
    except UsageError:  # some settings file that happens to be next to a weights file
        return {}
    return read_config(model.weights.parent)


def _as_words(name: str, value: Any) -> list[str]:
    """Return a setting of a dataset as it is typed on the command line."""
    flag = "dataset" if name == "name" else f"dataset.{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if value is None:
        return []
    return [f"--{flag}", *map(str, value if isinstance(value, list | tuple) else [value])]
