"""Checks that take longer: a task trains with other settings than the tiny ones, and in two processes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from restore.core.errors import RestoreError
from restore.core.runtime.launching import INTERRUPTED, launch
from restore.core.settings import leaves
from restore.core.testing.under_test import ContractBroken, NotApplicable, TaskUnderTest, require

RUN_CHANGES: dict[str, dict[str, Any]] = {
    "accumulate=2, ema=0.9": {"batch_size": 4, "accumulate": 2, "ema": 0.9},
    "batch_size=3": {"batch_size": 3, "samples_per_epoch": 7},
    "precision=bf16": {"precision": "bf16"},
}
"""Settings of any run that a task must train with, by how an error calls them."""

MOST = 6
"""Variations of the model that are trained at most."""


def other_settings_train_too(tested: TaskUnderTest) -> None:
    """A run ends with accumulation, EMA, odd batches and bf16, and with each choice and switch of ``model``."""
    if not tested.trains:
        return
    variations = [*RUN_CHANGES.items(), *list(_model_changes(tested))[:MOST]]
    for number, (label, changes) in enumerate(variations):
        name = f"variation {number}"
        try:
            settings = _tiny(tested, changes, name).resolved()
            tested.task_type(settings)
        except (ValidationError, RestoreError):  # such a combination may be refused
            require(label not in RUN_CHANGES, f"{label} is refused")
            continue
        try:
            tested.train(name, settings=settings)
        except Exception as error:
            error.add_note(f"with {label}")
            raise ContractBroken(f"with {label}: {type(error).__name__}: {error}") from error


def _tiny(tested: TaskUnderTest, changes: dict[str, Any], name: str) -> Any:
    """Return the tiny settings with other values; a group of changes joins the group of the tiny settings."""
    tiny = tested.task_type.tiny_settings(out=tested.folder, name=name)
    if "model" in changes:
        model = {**tiny.model.model_dump(exclude_unset=True), **changes["model"]}
        return tested.task_type.tiny_settings(**{**changes, "model": model}, out=tested.folder, name=name)
    return tested.task_type.tiny_settings(**changes, out=tested.folder, name=name)


def _model_changes(tested: TaskUnderTest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each other value of the choices and switches among the settings of the network."""
    tiny = tested.settings.model
    for path, info in leaves(type(tiny)):
        if len(path) > 1:
            continue
        kind = info.annotation
        choices = (True, False) if kind is bool else get_args(kind) if get_origin(kind) is Literal else ()
        for choice in choices:
            if choice != getattr(tiny, path[0]):
                yield f"model.{path[0]}={choice}", {"model": {path[0]: choice}}


def two_processes_train_together(tested: TaskUnderTest) -> None:
    """Two processes end a run, and their networks stay equal."""
    if not tested.trains:
        return
    where = f"{tested.task_type.__module__}:{tested.task_type.__qualname__}"
    try:
        importable = resolve_name(where) is tested.task_type and not where.startswith("__main__:")
    except (ImportError, AttributeError, ValueError):
        importable = False
    if not importable:
        raise NotApplicable(f"another process cannot import {where}")
    changes = {"batch_size": 4, "samples_per_epoch": 8, "out": str(tested.folder), "name": "two processes"}
    if tested.data is not None:
        changes["data"] = str(tested.data)
    command = [sys.executable, "-m", "restore.core.testing.one_of_two", where, tested.name, json.dumps(changes)]
    with _same_import_path():
        outcome = launch(command, processes=2)
    if outcome.status == INTERRUPTED:
        raise KeyboardInterrupt
    require(outcome.status == 0, outcome.message or "a process ended without a message")
    require((tested.folder / "two processes" / "best.safetensors").is_file(), "two processes leave no weights")


@contextmanager
def _same_import_path() -> Iterator[None]:
    """Let new processes import what this one can, within the block."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (other_settings_train_too, two_processes_train_together)
