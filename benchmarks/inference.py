"""Measure inference: a plain call of a network, and what each optimization of `restore predict` gains.

    python benchmarks/inference.py                             a table of SRResNet x4 and UNet++
    python benchmarks/inference.py --network unet++ --json     seconds of every variant

Every variant computes the same image with the same network, in fp32 unless its name says otherwise. They take turns,
so every ratio compares times measured shortly after each other. ``end to end`` also reads the image from a PNG file
and writes the result to one.
"""

from __future__ import annotations

import argparse
import json
import statistics
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
from restore.core.graphs.tracing import simplify_layers
from restore.core.images.files import read_image, write_image
from restore.core.inference.engine import predict_image
from restore.core.inference.folding import fold_batch_norm
from restore.core.runtime.precision import choose
from restore.core.task import Task

PLAIN = "plain call"
TASKS: Mapping[str, tuple[str, dict[str, Any], int]] = {
    "srresnet": ("srgan/srgan", {"model": {"architecture": "srresnet", "channels": 64, "blocks": 16}}, 128),
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


def compare(subject: Subject, rounds: int, compiled: bool, tile: int) -> dict[str, float]:
    """Return the median seconds of every variant.

    Args:
        subject: task, networks and image.
        rounds: number of timed calls of each variant, after one that does not count.
        compiled: whether to compile too.
        tile: side of the tiles, for the variant with tiles.
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
        if compiled:
            ways["torch.compile"] = called(torch.compile(simplify_layers(deepcopy(plain))), subject.image, nchw)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(rounds + 1):
            for way, use in ways.items():
                began = time.perf_counter()
                use()
                if turn:  # the first time compiles, and chooses kernels
                    taken[way].append(time.perf_counter() - began)
    return {way: statistics.median(seconds) for way, seconds in taken.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--edge", type=int, help="edge of the image in pixels; unset: 128 for srresnet, 256 for unet++")
    parser.add_argument("--tile", type=int, default=64, help="edge of the tiles of the way that cuts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--model", type=json.loads, default={}, metavar="JSON", help="other settings of the networks")
    parser.add_argument("--json", action="store_true", help="seconds of every way")
    given = parser.parse_args(arguments)
    results = {}
    for name in given.network:
        subject = Subject.of(name, given.edge, given.model)
        results[name] = compare(subject, given.rounds, not given.no_compile, given.tile)
        if not given.json:
            height, width = subject.image.shape[-2:]
            print(f"{name}, {width} x {height} pixels, {torch.get_num_threads()} threads")
            for way, seconds in results[name].items():
                print(f"  {way:32} {1000 * seconds:8.0f} ms   {results[name][PLAIN] / seconds:5.2f} x a plain call")
    if given.json:
        print(json.dumps({name: {way: round(s, 4) for way, s in ways.items()} for name, ways in results.items()}))


if __name__ == "__main__":
    main()
