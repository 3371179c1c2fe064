"""Measure inference: a plain call of a network, and what each optimization of `restore predict` gains.

    python benchmarks/inference.py                             a table of three networks
    python benchmarks/inference.py --network unet++ --json     seconds of every variant
    OMP_NUM_THREADS=1 python benchmarks/inference.py --network msrresnet --backends onnx openvino

Every variant computes the same image with the same network, in fp32 unless its name says otherwise. They take turns,
so every ratio compares times measured shortly after each other; the least time of each counts. ``end to end`` also
reads the image from a PNG file and writes the result to one. ``onnx, bare`` and ``openvino, bare`` only call the
program itself on a graph of the network; OpenVINO's is compiled for this size.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from restore import registry
from restore.core.graphs.formats import SUFFIXES, GraphFormat
from restore.core.graphs.runtime import use_backend
from restore.core.graphs.tracing import simplify_layers
from restore.core.images.files import read_image, write_image
from restore.core.inference.engine import predict_image
from restore.core.inference.folding import fold_batch_norm
from restore.core.runtime.precision import choose
from restore.core.task import Task

PLAIN = "plain call"
TASKS: Mapping[str, tuple[str, dict[str, Any], int]] = {
    "srresnet": ("srgan/srgan", {"model": {"architecture": "srresnet", "channels": 64, "blocks": 16}}, 128),
    "msrresnet": ("srgan/srgan", {"model": {"architecture": "msrresnet", "channels": 64, "blocks": 16}}, 192),
    "unet++": ("unet/nested-unet", {"model": {"channels": 32}}, 256),
}
"""A network's task, its settings, and the edge of the image in pixels."""


@dataclass(frozen=True)
class Subject:
    """A task, its networks with running statistics, and an image (3, H, W)."""

    task: Task
    networks: dict[str, nn.Module]
    image: Tensor

    @classmethod
    def of(cls, network: str, edge: int | None, model: Mapping[str, Any]) -> Subject:
        """Return the subject of a name.

        Args:
            network: one of ``TASKS``.
            edge: side of the image in pixels; None: as in ``TASKS``.
            model: model settings that replace those of ``TASKS``.
        """
        name, settings, usual = TASKS[network]
        task_type = registry.get("tasks", name)
        run = {**settings, "model": {**settings["model"], **model}}
        torch.manual_seed(0)
        task = task_type(task_type.settings_type.model_validate(run).resolved())
        edge = edge or usual
        networks = task.networks()
        for module in networks.values():
            module(torch.rand(2, 3, 32, 32))  # running statistics that are not zero and one
            module.eval()
        return cls(task, networks, torch.rand(3, edge, edge))

    @property
    def network(self) -> nn.Module:
        """The network."""
        return next(iter(self.networks.values()))


def called(network: Any, image: Tensor, layout: torch.memory_format) -> Callable[[], Any]:
    """Return a variant that only calls a network."""
    x = image[None].contiguous(memory_format=layout)
    network = network.to(memory_format=layout)

    def way() -> Any:
        with torch.inference_mode():
            return network(x)

    return way


def predicted(subject: Subject, networks: Mapping[str, nn.Module], **options: Any) -> Callable[[], Any]:
    """Return a variant that predicts as ``restore predict`` does."""
    inputs = {next(iter(subject.task.inputs)): subject.image}
    return lambda: predict_image(subject.task, networks, inputs, **options)


def end_to_end(subject: Subject, networks: Mapping[str, nn.Module], folder: Path) -> Callable[[], Any]:
    """Return a variant that reads an image file, predicts, and writes the result."""
    source = folder / "image.png"
    Image.fromarray((subject.image * 255).byte().permute(1, 2, 0).contiguous().numpy()).save(source)

    def way() -> None:
        image = read_image(source)
        inputs = subject.task.read_inputs(source, image)
        outputs = predict_image(subject.task, networks, inputs)
        for name, rendered in subject.task.render(outputs, inputs).items():
            write_image(folder / f"result{name}.png", rendered, image)

    return way


def bare(kind: GraphFormat, path: Path, image: Tensor) -> Callable[[], Any]:
    """Return a variant that only calls another program on the graph in a file."""
    values, threads = image[None].contiguous().numpy(), torch.get_num_threads()
    if kind == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: values})
    import openvino

    model = openvino.Core().read_model(path)
    model.reshape(list(values.shape))
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    return lambda: compiled([values])


def on_backends(subject: Subject, kinds: Sequence[Any], folder: Path) -> dict[str, Callable[[], Any]]:
    """Return, for each program, the variants that only call it, predict with it, and read and write files too."""
    ways: dict[str, Callable[[], Any]] = {}
    for kind in kinds:
        graphs = folder / kind
        graphs.mkdir()
        networks = use_backend(subject.task, fold_batch_norm(subject.networks), kind, graphs)
        (path,) = graphs.glob(f"*{SUFFIXES[kind]}")
        ways[f"{kind}, bare"] = bare(kind, path, subject.image)
        ways[f"restore predict --backend {kind}"] = predicted(subject, networks)
        ways[f"restore predict --backend {kind}, end to end"] = end_to_end(subject, networks, folder)
    return ways


def compare(subject: Subject, rounds: int, compiled: bool, tile: int, backends: Sequence[str] = ()) -> dict[str, float]:
    """Return the least seconds of every variant.

    Args:
        subject: task, networks and image.
        rounds: number of timed calls of each variant, after one that does not count.
        compiled: whether to compile too.
        tile: side of the tiles, for the variant with tiles.
        backends: other programs to compute with, which must be installed.
    """
    nchw, nhwc = torch.contiguous_format, torch.channels_last
    plain, folded = subject.network, fold_batch_norm(subject.networks)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        ways = {
            PLAIN: called(simplify_layers(deepcopy(plain)), subject.image, nchw),
            "channels_last": called(simplify_layers(deepcopy(plain)), subject.image, nhwc),
            "restore predict": predicted(subject, folded),
            f"restore predict --tile {tile}": predicted(subject, folded, tile=tile),
            "restore predict, end to end": end_to_end(subject, folded, Path(name)),
        }
        precision = choose("auto", torch.device("cpu"))
        if precision != "fp32":
            ways[f"restore predict --precision {precision}"] = predicted(subject, folded, precision=precision)
        ways |= on_backends(subject, backends, Path(name))
        if compiled:
            ways["torch.compile"] = called(torch.compile(simplify_layers(deepcopy(plain))), subject.image, nchw)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(rounds + 1):
            for way, use in ways.items():
                began = time.perf_counter()
                use()
                if turn:  # the first time compiles, and chooses kernels
                    taken[way].append(time.perf_counter() - began)
    return {way: min(seconds) for way, seconds in taken.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument(
        "--edge",
        type=int,
        help="edge of the image in pixels; unset: 128 for srresnet, 192 for msrresnet, 256 for unet++",
    )
    parser.add_argument("--tile", type=int, default=64, help="edge of the tiles of the way that cuts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backends", nargs="*", choices=["onnx", "openvino"], default=[], help="other programs")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--model", type=json.loads, default={}, metavar="JSON", help="other settings of the networks")
    parser.add_argument("--json", action="store_true", help="seconds of every way")
    given = parser.parse_args(arguments)
    results = {}
    for name in given.network:
        subject = Subject.of(name, given.edge, given.model)
        results[name] = compare(subject, given.rounds, not given.no_compile, given.tile, given.backends)
        if not given.json:
            height, width = subject.image.shape[-2:]
            print(f"{name}, {width} x {height} pixels, {torch.get_num_threads()} threads")
            for way, seconds in results[name].items():
                print(f"  {way:46} {1000 * seconds:8.0f} ms   {results[name][PLAIN] / seconds:5.2f} x a plain call")
    if given.json:
        print(json.dumps({name: {way: round(s, 4) for way, s in ways.items()} for name, ways in results.items()}))


if __name__ == "__main__":
    main()
