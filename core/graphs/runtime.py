"""Compute networks with another program than torch: each is a graph that a session computes."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.errors import NotExportable, RestoreError
from restore.core.graphs.comparing import compare
from restore.core.graphs.export import stage_output, try_network
from restore.core.graphs.formats import SUFFIXES, Session, Signature, open_graph, write_graph
from restore.core.graphs.tracing import (
    Arguments,
    CalledNetwork,
    WholeMethod,
    as_outputs,
    draw_inputs,
    list_sizes,
    simplify_layers,
    trace,
)
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.versions import find_version
from restore.core.weights.tensors import digest_tensors

Backend = Literal["onnx", "openvino"]
"""Programs that compute networks in place of torch."""


class GraphNetwork(nn.Module):
    """A network whose graph a session computes, on the CPU in float32."""

    def __init__(self, session: Session, *, single: bool) -> None:
        super().__init__()
        self._session, self._single = session, single

    @override
    def forward(self, *inputs: Tensor) -> Tensor | list[Tensor]:
        """Return what the network returns. A graph is of one image, so those of a batch take turns."""
        each = [self._session([plane[place : place + 1] for plane in inputs]) for place in range(len(inputs[0]))]
        joined = [torch.cat(parts) if len(each) > 1 else parts[0] for parts in zip(*each, strict=True)]
        return joined[0] if self._single else joined


@dataclass(frozen=True)
class _Calls:
    """What a network is called with for images of each of the sizes, and what kind of output it has."""

    examples: Sequence[Arguments]
    single: bool


def use_backend(
    method: Method,
    networks: Mapping[str, nn.Module],
    backend: Backend,
    folder: Path,
    *,
    notify: Callable[[str], None] | None = None,
) -> Networks:
    """Return networks that another program computes.

    The graph of each network is looked for in a folder, where it has a name made of everything that it depends on, and
    compared with the network on a small image; or it is made, and compared on three.

    Args:
        method: the method with its options.
        networks: its networks, whose batch normalization may be folded; they are changed.
        backend: the program.
        folder: folder of the graphs, which exists.
        notify: called with the name of a network before its graph is made.

    Raises:
        NotExportable: the method, or a network that it calls, cannot be written as a graph, or the graph computes
            something else.
        RestoreError: a graph cannot be written.
    """
    used = Networks({name: simplify_layers(network) for name, network in networks.items()})
    if method.export_multiple_of(used) != method.tiling.multiple_of:
        raise NotExportable("its network pads images by itself, in another way for each size, which no graph can")
    sizes = list_sizes(method.tiling.multiple_of)
    calls = _record_calls(method, used, sizes)
    made = {}
    for name, of_network in calls.items():
        path = folder / f"{_identify(used[name], of_network)}{SUFFIXES[backend]}"
        network = CalledNetwork(used[name]).eval()
        session = _open_known(path, backend, network, of_network)
        if session is None:
            if notify is not None:
                notify(name)
            session = _make(path, backend, network, of_network, method.tiling.multiple_of, sizes[0])
        made[name] = GraphNetwork(session, single=of_network.single)
    return Networks({**used, **made})


def _record_calls(method: Method, networks: Networks, sizes: Sequence[tuple[int, int]]) -> dict[str, _Calls]:
    """Return what each network is called with first when images of these sizes are predicted.

    Raises NotExportable if no network is called, or one with more than tensors.
    """
    examples: dict[str, list[Arguments]] = {}
    outputs: dict[str, Any] = {}
    count = 0

    def recorder(name: str) -> Callable[..., None]:
        def record(_: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            if named or not all(isinstance(each, Tensor) for each in inputs):
                raise NotExportable(f"its network {name!r} is called with more than images")
            if len(examples.setdefault(name, [])) <= count:
                examples[name].append(tuple(each.detach().clone() for each in inputs))
                outputs[name] = output

        return record

    hooks = [network.register_forward_hook(recorder(name), with_kwargs=True) for name, network in networks.items()]
    try:
        whole = WholeMethod(method, networks).eval()
        for count, size in enumerate(sizes):  # noqa: B007 - the recorders look at it
            try_network(whole, draw_inputs(method, size))
    finally:
        for hook in hooks:
            hook.remove()
    if not examples:
        raise NotExportable("with these options none of its networks is called as it is")
    for name, output in outputs.items():
        as_outputs(output)
        if len(examples[name]) != len(sizes):
            raise NotExportable(f"its network {name!r} is called for some images only")
    return {name: _Calls(each, isinstance(outputs[name], Tensor)) for name, each in examples.items()}


def _open_known(path: Path, backend: Backend, network: nn.Module, calls: _Calls) -> Session | None:
    """Return the session of a graph that is there and computes what the network does; None if there is none."""
    if not path.exists():
        return None
    try:
        session = open_graph(path, backend)
        compare(network, session, calls.examples[:1])
    except RestoreError:
        return None
    return session


def _make(
    path: Path, backend: Backend, network: nn.Module, calls: _Calls, step: int, traced: tuple[int, int]
) -> Session:
    """Write the graph of a network, compare it, and return its session."""
    first, *others = calls.examples
    program = trace(network, first, others[0], step, traced)
    count = len(as_outputs(network(*first)))
    signature = Signature(
        [f"input{place}" for place in range(len(first))], [f"output{place}" for place in range(count)]
    )
    with stage_output(path, backend) as temporary:
        write_graph(program, signature, temporary, backend, {})
        compare(network, open_graph(temporary, backend), others)
    return open_graph(path, backend)


def _identify(network: nn.Module, calls: _Calls) -> str:
    """Return a name for what the graph of a network depends on: values, layers, code, versions, kinds of inputs."""
    layers = [[path, type(layer).__qualname__, _plain_attributes(layer)] for path, layer in network.named_modules()]
    shapes = [[list(each.shape) for each in example] for example in calls.examples[:2]]
    versions = {name: find_version(name) for name in ("restorekit", "torch", "onnx", "onnxscript", "openvino")}
    text = json.dumps([layers, shapes, versions, sorted(_hash_sources(network))], sort_keys=True, default=repr)
    tensors = {name: each.detach().contiguous() for name, each in network.state_dict().items()}
    return hashlib.sha256(f"{digest_tensors(tensors)} {text}".encode()).hexdigest()


def _plain_attributes(layer: nn.Module) -> dict[str, Any]:
    """Return the numbers, words and sequences of them that a layer keeps."""
    plain = (bool, int, float, str, type(None))
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, plain)
        or (isinstance(value, tuple | list) and all(isinstance(one, plain) for one in value))
    }


def _hash_sources(network: nn.Module) -> Iterator[str]:
    """Yield a checksum of each file of code that the layers are defined in, without those of torch."""
    modules = {type(layer).__module__ for layer in network.modules()}
    for name in sorted(modules):
        if name.partition(".")[0] == "torch":
            continue
        try:
            yield hashlib.sha256(inspect.getsource(sys.modules[name]).encode()).hexdigest()
        except (OSError, TypeError, KeyError):
            yield name
