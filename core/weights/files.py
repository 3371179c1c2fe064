"""Weights files: one file contains everything to rebuild its networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from restore.core.atomic import atomic_write
from restore.core.errors import WeightsError
from restore.core.method import Method
from restore.core.metrics import MetricResult
from restore.core.networks import Networks, frozen
from restore.core.settings import Settings
from restore.core.task import Task
from restore.core.versions import advise_installation, find_version
from restore.core.weights.building import build_networks, build_shapes
from restore.core.weights.header import Header, read_header
from restore.core.weights.safetensors_format import safetensors_header, shapes_in
from restore.core.weights.tensors import (
    compare_shapes,
    digest_tensors,
    load_exactly,
    named_tensors,
    refuse_differences,
    refuse_nan,
    storable,
    write_tensors,
)
from restore.core.wrong_values import describe_wrong_values

Resolve = Callable[[str, str], Any]
"""Finds an object by kind and name, such as ``registry.get``."""


def save_weights(
    path: Path,
    *,
    task: str,
    model: Mapping[str, Any],
    networks: Mapping[str, nn.Module | Mapping[str, Tensor]],
    phase: str | None = None,
    numbers: Iterable[MetricResult | Mapping[str, Any]] = (),
    versions: Mapping[str, str] | None = None,
    plugins: Mapping[str, str | None] | None = None,
    card: Mapping[str, str] | None = None,
) -> Path:
    """Write networks (or their states) to one safetensors file, atomically.

    Args:
        path: the file to write.
        task: full name of the task, such as ``srgan/srgan``.
        model: the settings that rebuild the networks, as plain JSON: ``settings.model.model_dump(mode="json")``.
        networks: the networks or their states; the keys in the file are ``<network>.<parameter>``.
        phase: phase of the run that the weights come from.
        numbers: measured metrics.
        versions: origin of imported weights.
        plugins: requirement of every plugin that is needed, see `Header`.
        card: what the weights are for and what they were trained on, see `Header`.

    Raises:
        RestoreError: the file cannot be written.
    """
    tensors = storable(named_tensors(networks))
    header = Header(
        task=task,
        model=dict(model),
        phase=phase,
        numbers=[asdict(number) if isinstance(number, MetricResult) else dict(number) for number in numbers],
        versions={
            "restorekit": find_version("restorekit") or "unknown",
            "torch": str(torch.__version__),
            **(versions or {}),
        },
        plugins=dict(plugins or {}),
        card=dict(card or {}),
        digest=digest_tensors(tensors),
    )
    with atomic_write(path) as temporary:
        write_tensors(temporary, tensors, header.dumps())
    return path


def open_weights(
    path: Path, resolve: Resolve, *, predict: Settings | None = None, evaluate: Settings | None = None
) -> tuple[Task, Networks]:
    """Rebuild the task and the networks of a weights file; the networks are on the CPU, frozen, in evaluation mode.

    Args:
        path: the weights file.
        resolve: finds the class of the task by kind and name, such as ``registry.get``.
        predict: options of ``restore predict``; None: their defaults.
        evaluate: options of ``restore evaluate``; None: their defaults.

    Raises:
        WeightsError: the file is damaged, its task or a plugin that it needs is not installed, or a key is missing,
            unexpected or misshapen.
    """
    header = read_header(path)
    advice = advise_installation(header.plugins)
    try:
        task_type: type[Task] = resolve("tasks", header.task)
    except LookupError as error:
        raise WeightsError(
            f"{path}: made for the task {header.task!r}, which is not usable: {error}" + (advice and f"\n{advice}")
        ) from error
    try:
        task = rebuild(task_type, header.model, source=str(path)).with_options(predict=predict, evaluate=evaluate)
        networks = _build(path, task)
    except (LookupError, WeightsError) as error:  # an architecture of another plugin, perhaps
        if not advice:
            raise
        said = str(error) if isinstance(error, WeightsError) else f"{path}: cannot be used here: {error}"
        raise WeightsError(f"{said}\n{advice}") from error
    load_exactly(networks, read_tensors(path, header), source=str(path))
    return task, Networks(frozen({**networks, **task.helper_networks()}))


def _build(path: Path, task: Task) -> dict[str, nn.Module]:
    """Return the networks of a task for a weights file, whose sizes are compared before memory is taken for them."""
    given = dict(shapes_in(safetensors_header(path)))
    try:
        expected = build_shapes(task.networks, len(given))
        if expected is not None:
            refuse_differences(str(path), compare_shapes(expected, given))
        return build_networks(task.networks, len(given))
    except WeightsError as error:
        if str(error).startswith(str(path)):
            raise
        raise WeightsError(f"{path}: {error}") from error


def open_method(
    method_type: type[Method], *, predict: Settings | None = None, evaluate: Settings | None = None
) -> tuple[Method, Networks]:
    """Build a classical method and its helper networks; the options are those of `open_weights`."""
    method = method_type(method_type.settings_type().resolved()).with_options(predict=predict, evaluate=evaluate)
    return method, Networks(frozen(method.helper_networks()))


def rebuild(task_type: type[Task], model: Mapping[str, Any], source: str) -> Task:
    """Build the task from its ``model`` settings; errors name their ``source``.

    Raises:
        WeightsError: the settings do not fit the task (any more).
    """
    try:
        settings = task_type.settings_type.model_validate({"model": dict(model)})
    except ValidationError as error:
        wrong = describe_wrong_values(error)
        raise WeightsError(f"{source}: its settings do not fit the task {task_type.__name__}: {wrong}") from error
    return task_type(settings)


def read_tensors(path: Path, header: Header) -> dict[str, Tensor]:
    """Read the tensors of a weights file, keyed ``<network>.<parameter>``.

    Raises WeightsError if they are damaged, or contain NaN.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{path}: damaged: {error}") from error
    if header.digest is not None and digest_tensors(tensors) != header.digest:
        if read_header(path).digest != header.digest:  # as a training does that finds better ones
            raise WeightsError(f"{path}: other weights replaced it while it was read; repeat the command")
        raise WeightsError(f"{path}: damaged: the checksum of its tensors is wrong; get an intact copy")
    refuse_nan(path, tensors)
    return tensors
