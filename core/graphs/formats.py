"""Formats of graphs: write one to a file, and compute with what is in a file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.export import ExportedProgram

from restore.core.errors import NotExportable, UsageError, WeightsError
from restore.core.graphs.tracing import shorten

GraphFormat = Literal["onnx", "openvino", "torch"]
GRAPH_FORMATS: tuple[GraphFormat, ...] = get_args(GraphFormat)

SUFFIXES: Mapping[GraphFormat, str] = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2"}
"""Suffix of the file of each; OpenVINO writes the parameters to a second one, .bin."""

PACKAGES: Mapping[GraphFormat, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "openvino": ("openvino",),
    "torch": (),
}
ENTRY = "restore"
"""Name of the entry in a file that describes it, as JSON."""
MOST_BYTES = 2_000_000_000
"""Parameters of an ONNX file; its encoding ends at 2 GiB."""

Session = Callable[[Sequence[Tensor]], list[Tensor]]
"""Computes a graph on the CPU in float32: its outputs from its inputs."""


@dataclass(frozen=True)
class Signature:
    """Names of what goes into a graph and comes out of it."""

    inputs: Sequence[str]
    outputs: Sequence[str]


def require_packages(kind: GraphFormat, asked: str) -> None:
    """Raise UsageError with the line that installs them if a format's packages are missing; ``asked`` is the option."""
    missing = [name for name in PACKAGES[kind] if find_spec(name) is None]
    if missing:
        raise UsageError(f"{asked} needs {' and '.join(missing)}: pip install 'restorekit[{kind}]'")


def list_files(path: Path, kind: GraphFormat) -> list[Path]:
    """Return the files of a graph, the one that is opened last."""
    return [path.with_suffix(".bin"), path] if kind == "openvino" else [path]


def write_graph(
    program: ExportedProgram, signature: Signature, path: Path, kind: GraphFormat, metadata: Mapping[str, Any]
) -> None:
    """Write a graph with its metadata. Raises NotExportable if the format lacks an operation."""
    writers = {"onnx": _write_onnx, "openvino": _write_openvino, "torch": _write_torch}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what the exporters do to themselves
            writers[kind](program, signature, path, json.dumps(metadata, sort_keys=True))
    except (NotExportable, OSError):
        raise
    except Exception as error:
        raise NotExportable(f"the format {kind} cannot hold its network: {shorten(error)}") from error


def _write_torch(program: ExportedProgram, signature: Signature, path: Path, text: str) -> None:  # noqa: ARG001
    torch.export.save(program, path, extra_files={f"{ENTRY}.json": text})


def _write_onnx(program: ExportedProgram, signature: Signature, path: Path, text: str) -> None:
    import onnx

    exported = torch.onnx.export(
        program,
        dynamo=True,
        verbose=False,
        input_names=list(signature.inputs),
        output_names=list(signature.outputs),
    )
    assert exported is not None
    model = exported.model_proto
    if model.ByteSize() > MOST_BYTES:
        raise NotExportable("it has more parameters than an ONNX file can hold (2 GB)")
    onnx.helper.set_model_props(model, {ENTRY: text})
    onnx.save(model, path)


def _write_openvino(program: ExportedProgram, signature: Signature, path: Path, text: str) -> None:
    import openvino

    model = openvino.convert_model(program)
    for ports, names in ((model.inputs, signature.inputs), (model.outputs, signature.outputs)):
        for port, name in zip(ports, names, strict=True):
            port.get_tensor().set_names({name})
    model.set_rt_info(text, [ENTRY])
    openvino.save_model(model, path, compress_to_fp16=False)


def open_graph(path: Path, kind: GraphFormat) -> Session:
    """Open a graph to compute with it, in as many threads as torch. Raises WeightsError if the file is damaged."""
    openers = {"onnx": _open_onnx, "openvino": _open_openvino, "torch": _open_torch}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openers[kind](path)
    except Exception as error:
        raise WeightsError(f"{path}: cannot be opened: {shorten(error)}") from error


def _open_torch(path: Path) -> Session:
    module = torch.export.load(path).module()

    def compute(inputs: Sequence[Tensor]) -> list[Tensor]:
        output = module(*inputs)
        return [output] if isinstance(output, Tensor) else list(output)

    return compute


def _open_onnx(path: Path) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors, which are raised too
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]

    def compute(inputs: Sequence[Tensor]) -> list[Tensor]:
        arrays = [each.contiguous().numpy() for each in inputs]
        return [torch.from_numpy(each) for each in session.run(None, dict(zip(names, arrays, strict=True)))]

    return compute


def _open_openvino(path: Path) -> Session:
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # else bfloat16, on processors that have it
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)

    def compute(inputs: Sequence[Tensor]) -> list[Tensor]:
        found = compiled([each.contiguous().numpy() for each in inputs])
        return [torch.from_numpy(found[place]) for place in range(len(compiled.outputs))]

    return compute
