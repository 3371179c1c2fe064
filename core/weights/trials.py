"""Try converters on what a checkpoint contains, and choose the one that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from restore.core.errors import RestoreError, UsageError, WeightsError
from restore.core.settings import overlay
from restore.core.task import Task
from restore.core.weights.building import build_networks, build_shapes, count_bytes
from restore.core.weights.files import rebuild
from restore.core.weights.tensors import differences, named_tensors
from restore.core.weights.unwrap import CheckpointState, list_variants
from restore.core.wrong_values import describe_wrong_values

_MUCH = 2**30  # bytes of networks that any file may ask for
_UNFIT = (
    RestoreError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    AssertionError,
)


@dataclass(frozen=True)
class Target:
    """A task that weights are for."""

    task: str
    """Full name, such as ``srgan/srgan``."""
    task_type: type[Task]
    plugins: Mapping[str, str | None] = field(default_factory=dict)
    """Requirement of every plugin that its weights need."""


@dataclass(frozen=True)
class Conversion:
    """What a converter made of a checkpoint."""

    task: str
    """Full name of the task."""
    model: dict[str, Any]
    """The ``model`` settings that rebuild its networks."""
    tensors: dict[str, Tensor]
    """Parameters keyed ``<network>.<parameter>``; or ``<parameter>`` alone, if ``of_only_network``."""
    of_only_network: bool = False
    """Whether the keys are those of the only network that the task has."""
    notes: list[str] = field(default_factory=list)
    """What a user should know of it, one line each."""
    versions: dict[str, str] = field(default_factory=dict)
    """Entries for the header about the origin of the weights."""
    plugins: dict[str, str | None] = field(default_factory=dict)
    """Requirements of further plugins that the weights need."""
    card: dict[str, str] = field(default_factory=dict)
    """What is known of the weights, such as the license of the code, for the header."""


@dataclass(frozen=True)
class Rule:
    """A converter as it is tried."""

    name: str
    task: str | None
    """Full name of the task that it is for; None for one that finds the task itself."""
    convert: Callable[[CheckpointState], Conversion]


@dataclass(frozen=True)
class Request:
    """What is asked for when a checkpoint is converted."""

    model: Mapping[str, Any] = field(default_factory=dict)
    """Model settings, as a tree, that override those derived from the checkpoint."""
    partial: bool = False
    """Whether keys may be missing, unexpected or misshapen."""
    key: str | None = None
    """The part of the file to take."""
    converter: str | None = None
    """Name of the converter to use; None: any."""


@dataclass(frozen=True)
class Trial:
    """Result of one converter on a state."""

    name: str
    target: Target
    state: CheckpointState
    task: Task | None = None
    networks: dict[str, nn.Module] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    filled: list[str] = field(default_factory=list)
    """Missing keys that were filled in by rule."""
    problems: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    plugins: dict[str, str | None] = field(default_factory=dict)
    card: dict[str, str] = field(default_factory=dict)
    matched: int = 0
    """Number of tensors that have a place of their shape."""

    @property
    def model(self) -> dict[str, Any]:
        """The model settings, as plain JSON."""
        return dict(self.task.settings.model.model_dump(mode="json")) if self.task is not None else {}

    @property
    def fits(self) -> bool:
        """Whether every tensor has its place."""
        return self.task is not None and not self.problems


@dataclass(frozen=True)
class Fit:
    """Result of all converters on all states of a file."""

    chosen: Trial | None
    """The one that fits, else the closest one; None if nothing was tried."""
    trials: list[Trial]
    """The trials on the state that the chosen one is of; without a choice, on the first one."""


NOT_MINE = "no key of the file belongs to this converter"
"""Why a converter does not fit that knows nothing in the file."""
_NOWHERE = Target("", Task)  # type: ignore[type-abstract]  # never built


def find_fit(
    source: Path,
    states: Sequence[CheckpointState],
    rules: Sequence[Rule],
    general: Sequence[Rule],
    find_target: Callable[[str], Target],
    request: Request,
) -> Fit:
    """Try every rule on every state, as it is and without prefixes, until one fits.

    Raises UsageError if several fit that read different networks.
    """
    every: list[list[Trial]] = []
    for asked in (rules, *([rule] for rule in general)):
        fitting: list[Trial] = []
        for state in states:
            for variant in list_variants(state):
                trials = [_try(rule, variant, find_target, request, str(source)) for rule in asked]
                every.append(trials)
                if found := [trial for trial in trials if trial.fits]:
                    fitting.append(_choose(source, found))
                    break
            if fitting and (state.certain or request.key is not None):
                break
        if fitting:
            _refuse_several_places(source, fitting)
            return Fit(fitting[0], [fitting[0]])
    return _closest(source, every, request.partial)


def _try(
    rule: Rule, state: CheckpointState, find_target: Callable[[str], Target], request: Request, source: str
) -> Trial:
    """Apply a converter to a state; any error in it means that it does not fit."""
    target = replace(_NOWHERE, task=rule.task or "")
    try:
        conversion = rule.convert(state)
        target = find_target(conversion.task)
        task = rebuild(target.task_type, overlay(conversion.model, request.model), source)
        networks = _build(task, conversion.tensors)
    except _UNFIT as error:
        return Trial(rule.name, target, state, problems=[_said(error).removeprefix(f"{source}: ")])
    tensors = dict(conversion.tensors)
    if conversion.of_only_network:
        (network,) = networks
        tensors = {f"{network}.{key}": tensor for key, tensor in tensors.items()}
    filled = []
    for key, tensor in named_tensors(networks).items():
        # Checkpoints from before torch 0.4.1 lack this counter; predictions do not depend on it.
        if key.endswith("num_batches_tracked") and key not in tensors and tensor.dim() == 0:
            tensors[key] = tensor
            filled.append(key)
    own = named_tensors(networks)
    matched = sum(key in own and own[key].shape == tensor.shape for key, tensor in tensors.items()) - len(filled)
    if not request.partial and matched < 1:
        return Trial(rule.name, target, state, problems=[NOT_MINE])
    noted = CheckpointState(state.tensors, [*state.notes, *conversion.notes], state.others, state.place, state.certain)
    return Trial(
        rule.name,
        target,
        noted,
        task,
        networks,
        tensors,
        filled,
        differences(networks, tensors),
        conversion.versions,
        conversion.plugins,
        conversion.card,
        matched,
    )


def _said(error: Exception) -> str:
    """Return what an error of a converter says."""
    if isinstance(error, ValidationError):
        return describe_wrong_values(error)
    return str(error) if isinstance(error, RestoreError) else f"{type(error).__name__}: {error}"


def _build(task: Task, tensors: Mapping[str, Tensor]) -> dict[str, nn.Module]:
    """Return the networks for tensors, unless these are far too few for them: names may declare any size."""
    shapes = build_shapes(task.networks, len(tensors))
    given = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if shapes is not None and (wanted := count_bytes(shapes)) > _MUCH + 16 * given:
        raise WeightsError(f"its networks would take {wanted / 1e9:,.0f} GB, but its tensors have {given / 1e9:,.3f}")
    return build_networks(task.networks, len(tensors))


def _choose(source: Path, fitting: Sequence[Trial]) -> Trial:
    """Return the first of several that fit. Raises UsageError if they read different networks."""
    first = fitting[0]
    others = [trial for trial in fitting[1:] if not _same(first, trial)]
    if others:
        if any(trial.target.task != first.target.task for trial in others):
            tasks = ", ".join(dict.fromkeys(trial.target.task for trial in fitting))
            raise UsageError(f"{source}: fits several tasks; choose one with --task: {tasks}")
        names = ", ".join(trial.name for trial in fitting)
        raise UsageError(f"{source}: several converters of {first.target.task} fit; choose one with --from: {names}")
    return first


def _refuse_several_places(source: Path, fitting: Sequence[Trial]) -> None:
    """Raise UsageError if parts of a file fit of which nothing tells which is meant."""
    places = list(dict.fromkeys(trial.state.place for trial in fitting))
    if len(places) > 1 and not fitting[0].state.certain:
        raise UsageError(f"{source}: several parts of it fit; choose one with --key: {', '.join(places)}")


def _closest(source: Path, every: Iterable[list[Trial]], partial: bool) -> Fit:
    """Return the trial with the fewest problems, with those of the same state."""
    tried = [trials for trials in every if trials]
    possible = [(trial, trials) for trials in tried for trial in trials if trial.task is not None]
    if not possible:
        return Fit(tried[0][0], [trial for trials in _firsts(tried) for trial in trials]) if tried else Fit(None, [])
    best, beside = min(possible, key=lambda each: len(each[0].problems))
    alike = [trial for trial in beside if trial.task is not None]
    if partial and len(alike) > 1:
        names = ", ".join(trial.name for trial in alike)
        raise UsageError(f"{source}: no converter fits exactly; choose one with --from for a partial import: {names}")
    general = [trial for trials in _firsts(tried) for trial in trials if not trial.target.task and trials is not beside]
    return Fit(best, [*beside, *general])


def _firsts(tried: list[list[Trial]]) -> list[list[Trial]]:
    """Return the trials on the first state for each set of rules."""
    seen: set[tuple[str, ...]] = set()
    firsts = []
    for trials in tried:
        names = tuple(f"{trial.target.task} {trial.name}" for trial in trials)
        if names not in seen:
            seen.add(names)
            firsts.append(trials)
    return firsts


def _same(one: Trial, other: Trial) -> bool:
    """Return whether two converters read the same networks from a checkpoint."""
    return (
        (one.target.task, one.model) == (other.target.task, other.model)
        and one.tensors.keys() == other.tensors.keys()
        and all(tensor.equal(other.tensors[key]) for key, tensor in one.tensors.items())
    )
