"""Build datasets that are chosen by name, and check that they hold what their role promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restore.core.dataset_contracts import check_dataset
from restore.plugins.common.registered import RegisteredSettings


def build_dataset(settings: RegisteredSettings, given: Mapping[str, Any]) -> Any:
    """Build the dataset that settings name, from its own settings and the arguments of its role.

    Args:
        settings: the group with the name of the dataset.
        given: the arguments that the contract of its role promises, such as ``split``.

    Raises:
        UnfitForRole: the dataset does not hold what its role promises.
        RestoreError: the dataset cannot be made from these data.
    """
    dataset = settings.load()(**given, **settings.own_values())
    check_dataset(dataset, settings.role, settings.full_name, given=given)
    return dataset


def evaluation_arguments(folder: Path | None) -> dict[str, Any]:
    """Return what a factory of datasets is told in an evaluation: all images of ``folder``, or those of its own."""
    return {"split": "evaluation", "folder": folder, "val_fraction": 0.0, "seed": 0}


def describe_dataset(settings: RegisteredSettings) -> str:
    """Return the name of a dataset and its own settings that are set, as ``restorer/noisy noise=25``."""
    own = settings.own_values().items()
    return " ".join([settings.full_name, *(f"{name}={_in_words(value)}" for name, value in own if value is not None)])


def _in_words(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "-".join(map(_in_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
