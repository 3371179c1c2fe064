"""Write what a method computes as a graph, for programs without restore."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from restore.core.atomic import fsync, reason, refuse_overwrite, writable_folder
from restore.core.errors import NotExportable, RestoreError, UsageError
from restore.core.graphs.comparing import compare
from restore.core.graphs.formats import (
    SUFFIXES,
    GraphFormat,
    Signature,
    list_files,
    open_graph,
    require_packages,
    write_graph,
)
from restore.core.graphs.tracing import WholeMethod, draw_inputs, list_sizes, shorten, simplify_layers, trace
from restore.core.inference.folding import fold_batch_norm
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.weights.header import Header


@dataclass(frozen=True)
class WrittenGraph:
    """A graph in a file."""

    path: Path
    difference: float
    """The largest difference between the graph in the file and the network."""
    sizes: list[tuple[int, int]]
    """Heights and widths of the images that they were compared on."""
    metadata: Mapping[str, Any]


def describe_graph(method: Method, header: Header, weights: str) -> dict[str, Any]:
    """Return what a file says about its graph.

    Args:
        method: the method.
        header: header of the weights file.
        weights: SHA-256 of the weights.
    """
    return {
        "task": header.task,
        "model": header.model,
        "inputs": [
            {"name": name, "channels": spec.channels, "low": spec.low, "high": spec.high}
            for name, spec in method.inputs.items()
        ],
        "output": {
            "name": method.main_output,
            "channels": method.outputs[method.main_output].channels,
            "low": method.outputs[method.main_output].low,
            "high": method.outputs[method.main_output].high,
        },
        "scale": method.outputs[method.main_output].scale,
        "weights_sha256": weights,
        "card": header.card,
        "versions": header.versions,
        "plugins": header.plugins,
    }


def export_graph(
    method: Method,
    networks: Mapping[str, nn.Module],
    output: Path,
    kind: GraphFormat,
    metadata: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> WrittenGraph:
    """Write the graph of a method's main output, for images of any size, with its normalization and limits.

    The file is opened again and compared with the network on images of three other sizes before it gets its name.

    Args:
        method: the method.
        networks: its networks; batch normalization is folded.
        output: the file to write.
        kind: its format.
        metadata: what the file says about itself, see `describe_graph`; what sizes must be multiples of is added.
        overwrite: whether to replace files.

    Raises:
        UsageError: the format has another suffix or a package is missing, or a file exists.
        NotExportable: the method cannot be written as a graph, or the graph computes something else.
        RestoreError: the file cannot be written.
    """
    if output.suffix != SUFFIXES[kind]:
        raise UsageError(f"--output {output}: the name of a file of the format {kind} must end in {SUFFIXES[kind]}")
    require_packages(kind, f"--format {kind}")
    for path in list_files(output, kind):
        refuse_overwrite(path, overwrite)
    writable_folder(output.parent)
    folded = Networks({name: simplify_layers(network) for name, network in fold_batch_norm(networks).items()})
    step = method.export_multiple_of(folded)
    sizes = list_sizes(step)
    first, *others = (draw_inputs(method, size) for size in sizes)
    whole = WholeMethod(method, folded).eval()
    try_network(whole, first)
    program = trace(whole, first, others[0], step, sizes[0])
    signature, about = Signature(list(method.inputs), [method.main_output]), {**metadata, "multiple_of": step}
    with stage_output(output, kind) as path:
        write_graph(program, signature, path, kind, about)
        difference = compare(whole, open_graph(path, kind), others)
    return WrittenGraph(output, difference, sizes[1:], about)


def try_network(network: nn.Module, inputs: tuple[Any, ...]) -> None:
    """Call a network once. Raises NotExportable if it fails: it cannot be used for images of this size."""
    try:
        with torch.no_grad():
            network(*inputs)
    except RestoreError:
        raise
    except Exception as error:
        height, width = inputs[0].shape[-2:]
        raise NotExportable(
            f"its network cannot be used for images of any size; for {width} x {height} pixels it fails: "
            f"{shorten(error)}"
        ) from error


@contextmanager
def stage_output(output: Path, kind: GraphFormat) -> Iterator[Path]:
    """Yield a path of the same name in a temporary folder; the files get their place if the block succeeds.

    Raises RestoreError if they cannot be written.
    """
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=output.parent))
        yield folder / output.name
        for path in list_files(output, kind):
            written = folder / path.name
            fsync(written)
            written.replace(path)
        fsync(output.parent)
    except OSError as error:
        raise RestoreError(f"{output}: cannot be written: {reason(error)}") from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
