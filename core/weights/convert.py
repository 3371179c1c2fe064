"""Convert checkpoints of other projects; nothing is dropped or guessed silently."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from restore.core.atomic import refuse_overwrite, writable_folder
from restore.core.errors import UsageError, WeightsError
from restore.core.hashing import hash_file
from restore.core.task import Task
from restore.core.weights.files import save_weights
from restore.core.weights.read_checkpoint import read_states
from restore.core.weights.refusal import format_refusal
from restore.core.weights.tensors import refuse_nan, tensors_of
from restore.core.weights.trials import Conversion, Request, Rule, Target, Trial, find_fit
from restore.core.weights.unwrap import CheckpointState

Convert = Callable[[dict[str, Tensor]], tuple[dict[str, Any], dict[str, Tensor]]]


@dataclass(frozen=True)
class Converter:
    """Converts the checkpoints of another project to the networks of a task."""

    summary: str
    """The project, and which of its networks."""
    convert: Convert
    """Converts a state dict to the ``model`` settings and a state dict keyed ``<network>.<parameter>``. Keeps unknown
    names, so that they are reported, and raises WeightsError or ValueError for other states."""


@dataclass(frozen=True)
class ConvertibleTask:
    """A task with the converters of its own."""

    target: Target
    converters: Mapping[str, Converter]

    def rules(self, only: str | None = None) -> list[Rule]:
        """Return its converters as rules; ``only`` chooses one by name."""
        return [
            Rule(name, self.target.task, _converting(self.target.task, converter.convert))
            for name, converter in self.converters.items()
            if only in (None, name)
        ]


def _converting(task: str, convert: Convert) -> Callable[[CheckpointState], Conversion]:
    return lambda state: Conversion(task, *convert(dict(state.tensors)))


@dataclass(frozen=True)
class Report:
    """Result of an import."""

    source: Path
    output: Path
    task: str
    converter: str
    model: Mapping[str, Any]
    """The settings that rebuild the networks, derived from the checkpoint."""
    loaded: int
    """Number of loaded tensors."""
    notes: list[str]
    """What was unwrapped, skipped or filled in by rule."""
    differences: list[str]
    """One line for each missing, unexpected or misshapen key; empty unless the import was partial."""
    parameters: int = 0
    """Number of parameters of the networks."""
    digest: str = ""
    """SHA-256 of the checkpoint file."""
    scale: float = 1.0
    """Size of the output relative to the input."""


def import_weights(
    source: Path,
    output: Path,
    *,
    task: str,
    task_type: type[Task],
    converters: Mapping[str, Converter],
    converter: str | None = None,
    model: Mapping[str, Any] | None = None,
    partial: bool = False,
    overwrite: bool = False,
    plugins: Mapping[str, str | None] | None = None,
    key: str | None = None,
) -> Report:
    """Write a foreign checkpoint as a weights file of one task.

    Args:
        source: the checkpoint.
        output: the file to write.
        task: full name of the task, such as ``srgan/srgan``.
        task_type: its class.
        converters: the converters of the task, by name.
        converter: name of the converter to use; None: the one that fits exactly.
        model: model settings, as a tree, that override those derived from the checkpoint, for values that no tensor
            shows.
        partial: report keys that are missing, unexpected or misshapen instead of failing; missing ones are initialized
            as for training.
        overwrite: whether to replace ``output``.
        plugins: requirement of every plugin that the weights need, for the header.
        key: the part of the file to take; None: the one that fits.

    Raises:
        WeightsError: keys are missing, unexpected or misshapen; the message lists all of them.
        UsageError: the choice of the converter is ambiguous, or ``output`` already exists.
    """
    convertible = ConvertibleTask(Target(task, task_type, plugins or {}), converters)
    if not converters:
        raise UsageError(f"{task} has no converter, so it cannot import checkpoints")
    request = Request(model or {}, partial, key, converter)
    return import_recognized(source, output, [convertible], request=request, overwrite=overwrite)


def import_recognized(
    source: Path,
    output: Path,
    tasks: Sequence[ConvertibleTask],
    general: Sequence[Rule] = (),
    *,
    find_target: Callable[[str], Target] | None = None,
    request: Request | None = None,
    overwrite: bool = False,
) -> Report:
    """Find out what a checkpoint is of, and write it as a weights file.

    Args:
        source: the checkpoint.
        output: the file to write.
        tasks: the tasks whose own converters are asked first.
        general: converters that find the task themselves; each is asked when those before it found nothing.
        find_target: returns a task by its full name, for ``general``; None: ``tasks`` has them all.
        request: what is asked for.
        overwrite: whether to replace ``output``.

    Raises:
        WeightsError: no converter fits; the message says what the file has and what is closest.
        UsageError: the choice is ambiguous, or ``output`` already exists.
    """
    request = request or Request()
    if output.suffix != ".safetensors":
        raise UsageError(f"--output {output}: the name of a weights file must end in .safetensors")
    refuse_overwrite(output, overwrite)
    rules = [rule for task in tasks for rule in task.rules(request.converter)]
    asked = [rule for rule in general if request.converter in (None, rule.name)]
    if not rules and not asked:
        if request.converter is None:
            raise UsageError(f"{source}: no installed plugin imports checkpoints of other projects")
        known = dict.fromkeys([*(name for task in tasks for name in task.converters), *(rule.name for rule in general)])
        who = f"{tasks[0].target.task} has no such converter" if len(tasks) == 1 else "there is no such converter"
        raise UsageError(f"--from {request.converter}: {who}; available: {', '.join(known)}")
    own = {task.target.task: task.target for task in tasks}
    states = read_states(source, request.key)
    fit = find_fit(source, states, rules, asked, find_target or own.__getitem__, request)
    chosen = fit.chosen
    if chosen is None or chosen.task is None or (chosen.problems and not request.partial):
        raise WeightsError(format_refusal(source, states, fit, sole=tasks[0].target.task if len(tasks) == 1 else None))
    return _write(source, output, chosen)


def _write(source: Path, output: Path, chosen: Trial) -> Report:
    """Write the weights file of a converter that fits."""
    loaded = _load(chosen.networks, chosen.tensors) - len(chosen.filled)
    if not loaded:
        raise WeightsError(
            f"{source}: none of its parameters fits {chosen.target.task} (read as a checkpoint of {chosen.name})"
        )
    refuse_nan(source, chosen.tensors)
    writable_folder(output.parent)
    digest = hash_file(source)
    parameters = sum(each.numel() for network in chosen.networks.values() for each in network.parameters())
    origin = {"imported_from": chosen.name, "imported_file": source.name, "imported_sha256": digest, **chosen.versions}
    origin["imported_parameters"] = str(parameters)  # a file does not tell parameters from masks and other buffers
    save_weights(
        output,
        task=chosen.target.task,
        model=chosen.model,
        networks=chosen.networks,
        versions=origin,
        plugins={**chosen.target.plugins, **chosen.plugins},
        card=chosen.card,
    )
    return Report(
        source,
        output,
        chosen.target.task,
        chosen.name,
        chosen.model,
        loaded,
        [*chosen.state.notes, *(f"filled in: {key}, which old checkpoints lack" for key in chosen.filled)],
        chosen.problems,
        parameters,
        digest,
        chosen.task.outputs[chosen.task.main_output].scale if chosen.task is not None else 1.0,
    )


def _load(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> int:
    """Load every tensor that fits; return their number."""
    loaded = 0
    for name, network in networks.items():
        own = network.state_dict()
        given = tensors_of(name, tensors)
        fitting = {key: given[key] for key in own if key in given and given[key].shape == own[key].shape}
        network.load_state_dict({**own, **fitting})
        loaded += len(fitting)
    return loaded
