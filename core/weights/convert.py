"""Convert checkpoints of other projects; nothing is dropped or guessed silently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from restore.core.atomic import refuse_overwrite, writable_folder
from restore.core.errors import UsageError, WeightsError
from restore.core.settings import overlay
from restore.core.task import Task
from restore.core.weights.files import rebuild, save_weights
from restore.core.weights.read_checkpoint import CheckpointState, read_checkpoint
from restore.core.weights.tensors import differences, named_tensors, tensors_of

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


@dataclass(frozen=True)
class _Trial:
    """Result of one converter on a checkpoint."""

    name: str
    task: Task | None
    networks: dict[str, nn.Module]
    tensors: dict[str, Tensor]
    filled: list[str]
    """Missing keys that were filled in by rule."""
    problems: list[str]

    @property
    def model(self) -> dict[str, Any]:
        return dict(self.task.settings.model.model_dump(mode="json")) if self.task is not None else {}


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
) -> Report:
    """Write a foreign checkpoint as a weights file.

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

    Raises:
        WeightsError: keys are missing, unexpected or misshapen; the message lists all of them.
        UsageError: the choice of the converter is ambiguous, or ``output`` already exists.
    """
    if output.suffix != ".safetensors":
        raise UsageError(f"--output {output}: the name of a weights file must end in .safetensors")
    refuse_overwrite(output, overwrite)
    if not converters:
        raise UsageError(f"{task} has no converter, so it cannot import checkpoints")
    if converter is not None and converter not in converters:
        raise UsageError(f"--from {converter}: {task} has no such converter; available: {', '.join(converters)}")
    state = read_checkpoint(source)
    tried = [converter] if converter is not None else list(converters)
    trials = [_tried(name, converters[name], state, task_type, model or {}, str(source)) for name in tried]
    chosen = _chosen(source, task, trials, partial)
    if chosen.task is None or (chosen.problems and not partial):
        raise WeightsError(_refusal(source, task, trials))
    loaded = _load(chosen.networks, chosen.tensors) - len(chosen.filled)
    if not loaded:
        raise WeightsError(f"{source}: none of its parameters fits {task} (read as a checkpoint of {chosen.name})")
    writable_folder(output.parent)
    origin = {"imported_from": chosen.name, "imported_file": source.name}
    save_weights(output, task=task, model=chosen.model, networks=chosen.networks, versions=origin, plugins=plugins)
    notes = [*state.notes, *(f"filled in: {key}, which old checkpoints lack" for key in chosen.filled)]
    return Report(source, output, task, chosen.name, chosen.model, loaded, notes, chosen.problems)


def _tried(
    name: str,
    converter: Converter,
    state: CheckpointState,
    task_type: type[Task],
    given: Mapping[str, Any],
    source: str,
) -> _Trial:
    """Apply a converter to a state; any error in it means that it does not fit. ``given`` overrides its settings."""
    try:
        model, tensors = converter.convert(dict(state.tensors))
        task = rebuild(task_type, overlay(model, given), source)
        networks = task.networks()
    except (WeightsError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError) as error:
        said = str(error) if isinstance(error, WeightsError) else f"{type(error).__name__}: {error}"
        return _Trial(name, None, {}, {}, [], [said.removeprefix(f"{source}: ")])
    filled = []
    for key, tensor in named_tensors(networks).items():
        # Checkpoints from before torch 0.4.1 lack this counter; predictions do not depend on it.
        if key.endswith("num_batches_tracked") and key not in tensors and tensor.dim() == 0:
            tensors[key] = tensor
            filled.append(key)
    return _Trial(name, task, networks, tensors, filled, differences(networks, tensors))


def _chosen(source: Path, task: str, trials: list[_Trial], partial: bool) -> _Trial:
    """Return the one converter that fits, else the closest one."""
    exact = [trial for trial in trials if trial.task is not None and not trial.problems]
    if exact:
        if any(not _same(exact[0], other) for other in exact[1:]):
            names = ", ".join(trial.name for trial in exact)
            raise UsageError(f"{source}: several converters of {task} fit; choose one with --from: {names}")
        return exact[0]
    possible = [trial for trial in trials if trial.task is not None]
    if partial and len(possible) > 1:
        names = ", ".join(trial.name for trial in possible)
        raise UsageError(f"{source}: no converter fits exactly; choose one with --from for a partial import: {names}")
    return min(possible or trials, key=lambda trial: len(trial.problems))


def _same(one: _Trial, other: _Trial) -> bool:
    """Return whether two converters read the same networks from a checkpoint."""
    return (
        one.model == other.model
        and one.tensors.keys() == other.tensors.keys()
        and all(tensor.equal(other.tensors[key]) for key, tensor in one.tensors.items())
    )


def _refusal(source: Path, task: str, trials: list[_Trial]) -> str:
    """Return every difference to the closest converter, and the number of differences to the others."""
    possible = [trial for trial in trials if trial.task is not None]
    if not possible:
        reasons = "\n".join(f"    {trial.name}: {trial.problems[0]}" for trial in trials)
        return f"{source}: no converter of {task} recognizes this checkpoint:\n{reasons}"
    closest = min(possible, key=lambda trial: len(trial.problems))
    lines = [f"{source}: does not fit {task}; as a checkpoint of {closest.name}:"]
    lines += [f"    {problem}" for problem in closest.problems]
    others = [trial for trial in trials if trial is not closest]
    if others:
        lines.append("With another converter:")
        lines += [
            f"    {trial.name}: {f'{len(trial.problems)} keys differ' if trial.task is not None else trial.problems[0]}"
            for trial in others
        ]
    lines.append("--partial loads the tensors that fit and initializes the others as for training.")
    return "\n".join(lines)


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
