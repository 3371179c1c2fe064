"""Find the parameters of networks in what a checkpoint contains, and take off what training programs add to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from restore.core.errors import UsageError, WeightsError
from restore.core.weights.left_out import name_left_out

WRAPPERS = (
    *("params_ema", "params-ema", "ema_state_dict", "state_dict_ema", "model_ema", "generator_ema", "g_ema", "ema"),
    *("params", "state_dict", "model_state_dict", "network_weights", "model", "generator", "net_g", "netG", "network"),
    *("net", "weights"),
)
"""Keys under which training programs store a network in a checkpoint; averaged weights come first."""

GROUPS = ("generator_ema", "ema_model", "model_ema", "netG_ema", "generator", "netG", "net_g", "model", "net", "module")
"""Prefixes of the parameters of the network among those of others, such as a discriminator; averaged ones first."""

_COUNTERS = {
    "n_averaged": "counter of averaged weights",  # torch.optim.swa_utils.AveragedModel
    "step": "counter of averaged weights",  # ema-pytorch
    "initted": "counter of averaged weights",
    "step_counter": "counter of steps",  # mmagic
}
_THOP = ("total_ops", "total_params")  # what thop.profile leaves in every module
Trail = tuple[str, ...]
"""Keys that lead to a mapping, one inside another."""
_DEEPEST = 6  # mappings inside one another


@dataclass(frozen=True)
class CheckpointState:
    """The parameters of a foreign checkpoint under their original names, and notes on how they were extracted."""

    tensors: dict[str, Tensor]
    notes: list[str] = field(default_factory=list)
    others: Mapping[str, Any] = field(default_factory=dict)
    """What lies beside the tensors and is none: names and values."""
    place: str = ""
    """Where in the file they are, as ``--key`` names it."""
    certain: bool = True
    """Whether their place has one of the known names, or is the only one."""


def find_states(path: Path, content: Any, key: str | None = None) -> list[CheckpointState]:
    """Return what may be the parameters of a network, the most likely first.

    Args:
        path: the file, for errors.
        content: what the file contains.
        key: the part to take: a key, ``/`` between nested ones, or the common prefix of names; None: all parts.

    Raises:
        UsageError: there is no part of this name.
        WeightsError: nothing in the file is named parameters.
    """
    if not isinstance(content, Mapping):
        left_out = name_left_out(content)
        raise WeightsError(f"{path}: contains a {left_out or type(content).__name__}; expected named parameters")
    if key is not None:
        return [_select(path, content, key)]
    found = list(_places(content))
    if not found:
        keys = ", ".join(map(str, content)) or "nothing"
        raise WeightsError(f"{path}: contains no network parameters; its keys: {keys}")
    found.sort(key=lambda place: (not _is_known(place[0]), _rank(place[0])))  # stable: else as they lie in the file
    states = []
    for trail, mapping in found:
        state = _make_state(trail, mapping, [other for other, _ in found if other != trail])
        notes = [*state.notes, *_note_left_out(content, trail)]
        states.append(replace(state, notes=notes, certain=_is_known(trail) or len(found) == 1))
    return [state for state in states if state.tensors] or states[:1]


def _note_left_out(content: Mapping[Any, Any], trail: Trail) -> Iterator[str]:
    """Yield a note for each object that was left out on the way to a mapping."""
    for key in trail:
        yield from (f"skipped: {name} ({left})" for name, each in content.items() if (left := name_left_out(each)))
        content = content[key]


def refuse_several(path: Path, states: Sequence[CheckpointState]) -> None:
    """Raise WeightsError if nothing tells which of several groups of parameters is meant."""
    if len(states) > 1 and not states[0].certain:
        keys = ", ".join(state.place for state in states)
        raise WeightsError(f"{path}: contains several groups of parameters; its keys: {keys}; choose one with --key")


def list_variants(state: CheckpointState) -> Iterator[CheckpointState]:
    """Yield a state as it is, then without prefixes: one that all names share, then those of `GROUPS`.

    What is left out beside a group is noted.
    """
    yield from _list_variants(state, 3)


def _list_variants(state: CheckpointState, depth: int) -> Iterator[CheckpointState]:
    yield state
    if not depth:
        return
    firsts = {name.partition(".")[0] for name in state.tensors if "." in name}
    shared = len(firsts) == 1 and all("." in name for name in state.tensors)
    for prefix in firsts if shared else (group for group in GROUPS if group in firsts):
        yield from _list_variants(take_group(state, prefix), depth - 1)


def take_group(state: CheckpointState, prefix: str) -> CheckpointState:
    """Return the tensors whose names begin with a prefix and a dot, without it; a note lists what is left out."""
    start = f"{prefix}."
    tensors = {name.removeprefix(start): tensor for name, tensor in state.tensors.items() if name.startswith(start)}
    beside = [name for name in state.tensors if not name.startswith(start)]
    note = f"removed: the prefix {start}"
    if beside:
        groups = dict.fromkeys(f"{name.partition('.')[0]}." if "." in name else name for name in beside)
        note += f" ({_count(len(beside))} without it left out: {_list(groups)})"
    place = f"{state.place}/{prefix}" if state.place else prefix
    return replace(state, tensors=tensors, notes=[*state.notes, note], place=place)


def _select(path: Path, content: Mapping[Any, Any], key: str) -> CheckpointState:
    """Return the part that ``key`` names."""
    mapping: Mapping[Any, Any] = content
    trail: Trail = ()
    words = key.strip("/").split("/")
    for number, word in enumerate(words):
        named = {str(name): value for name, value in mapping.items()}
        if isinstance(named.get(word), Mapping):
            mapping, trail = named[word], (*trail, word)
            continue
        if any(isinstance(value, Tensor) and name.startswith(f"{word.rstrip('.')}.") for name, value in named.items()):
            state = _make_state(trail, mapping, [])
            for prefix in words[number:]:
                state = take_group(state, prefix.rstrip("."))
            if state.tensors:
                return state
        keys = dict.fromkeys(
            f"{name.partition('.')[0]}." if isinstance(value, Tensor) and "." in name else name
            for name, value in named.items()
        )
        raise UsageError(f"--key {key}: {path} has no {word!r} there; it has {_list(keys, 20)}")
    state = _make_state(trail, mapping, [])
    if not state.tensors:
        inside = list(_places(mapping))
        if len(inside) != 1:
            raise UsageError(f"--key {key}: {path} holds no named parameters there; it has {_list(mapping, 20)}")
        return _make_state((*trail, *inside[0][0]), inside[0][1], [])
    return state


def _places(
    content: Mapping[Any, Any], trail: Trail = (), seen: set[int] | None = None
) -> Iterator[tuple[Trail, Mapping[Any, Any]]]:
    """Yield each mapping that has named tensors, with the keys that lead to it; states of optimizers are none."""
    seen = set() if seen is None else seen
    if "param_groups" in content or len(trail) > _DEEPEST or id(content) in seen:
        return
    seen.add(id(content))  # a mapping may contain itself
    inside = [
        place
        for key, value in content.items()
        if isinstance(key, str) and isinstance(value, Mapping)
        for place in _places(value, (*trail, key), seen)
    ]
    named = [key for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)]
    if named and not (inside and all(content[key].numel() == 1 for key in named)):  # such as the best accuracy
        yield trail, content
    yield from inside


def _is_known(trail: Trail) -> bool:
    """Return whether a place has a name that says that a network is there."""
    return not trail or trail[0] in WRAPPERS


def _rank(trail: Trail) -> tuple[int, ...]:
    """Return the place in the order of `WRAPPERS`; tensors without a wrapper come after them."""
    if trail and trail[0] not in WRAPPERS:
        return ()
    return tuple(WRAPPERS.index(key) if key in WRAPPERS else len(WRAPPERS) for key in trail) or (len(WRAPPERS),)


def _make_state(trail: Trail, mapping: Mapping[Any, Any], others: Iterable[Trail]) -> CheckpointState:
    notes = [f"used: {'/'.join(trail[:length])}" for length in range(1, len(trail) + 1)]
    also = ["/".join(other) or "tensors beside it" for other in others]
    if notes and also:
        notes[-1] += f" (the file also contains {_list(also)})"
    tensors, beside = {}, {}
    for key, value in mapping.items():
        if isinstance(value, Tensor):
            tensors[str(key)] = value
            continue
        beside[str(key)] = value
        notes.append(f"skipped: {key} ({name_left_out(value) or 'not a tensor'})")
    tensors = _strip_prefixes(_drop_counters(tensors, notes))
    return CheckpointState(tensors, notes, beside, "/".join(trail))


def _drop_counters(tensors: dict[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """Leave out numbers that programs count in a network, which no network needs."""
    counted = [name for name in tensors if name.rpartition(".")[2] in _THOP]
    if counted:
        notes.append(f"skipped: {_count(len(counted))} {' and '.join(_THOP)} (counters of thop)")
    counters = [name for name in _COUNTERS if name in tensors and tensors[name].numel() == 1 and len(tensors) > 1]
    notes.extend(f"skipped: {name} ({_COUNTERS[name]})" for name in counters)
    return {name: tensor for name, tensor in tensors.items() if name not in {*counted, *counters}}


def _strip_prefixes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove the prefixes of torch.compile and, if all names have them, of data parallelism and averaging."""
    tensors = {name.replace("_orig_mod.", ""): tensor for name, tensor in tensors.items()}
    while tensors and all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def _count(number: int) -> str:
    return f"{number} tensor{'' if number == 1 else 's'}"


def _list(names: Iterable[Any], limit: int = 8) -> str:
    listed = list(map(str, names))
    return ", ".join(listed[:limit]) + (f" and {len(listed) - limit} more" if len(listed) > limit else "") or "nothing"
