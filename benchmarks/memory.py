"""Measure the memory and the time that ``restore predict`` needs for results of 1 to 300 megapixels.

    python benchmarks/memory.py                      a table: four kinds of task, four sizes
    python benchmarks/memory.py --megapixels 100     one size
    python benchmarks/memory.py --json FILE          the numbers as JSON too
    python benchmarks/memory.py --threads 1          with so many threads of torch
    python benchmarks/memory.py --tiny               the smallest networks, which take a fraction of the time

Every cell is a process of its own, ``restore predict`` as a person runs it; its memory is the largest resident set that
the system has seen. ``loop`` is the time of a process that decodes the same image, computes the same tiles one after
the other, and keeps nothing; ``ratio`` is the time of the command by that of the loop. ``cpu`` is the time of all cores
together, which other programs do not lengthen. Networks are untrained: srgan x2
with 16 channels and 4 blocks, a U-Net with 8 channels on the image itself, and the smallest inpaint-gan. Images are
mosaics of a photograph, masks have one hole for each 250,000 pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage import data
from torch import nn

import restore.cli
from restore import registry
from restore.core import prediction
from restore.core.images.files import SourceImage
from restore.core.images.row_format import RowFormat
from restore.core.images.streaming import StreamedFile
from restore.core.inference.canvas import Canvas
from restore.core.inference.tiles import tile_spans
from restore.core.method import Method
from restore.core.networks import for_inference
from restore.core.weights.files import save_weights

SIZES = {1: (1200, 900), 10: (3600, 2700), 100: (11_600, 8700), 300: (20_000, 15_000)}
"""Width and height of a result, by its megapixels."""

TASKS = ("x2 network", "bicubic", "segmentation", "inpainting")
GENERATOR, TINY_GENERATOR = {"channels": 16, "blocks": 4}, {"channels": 4, "blocks": 1}
SEGMENTER, TINY_SEGMENTER = {"channels": 8, "depth": 3}, {"channels": 2, "depth": 1}
HOLE = 24
"""Side of a hole in pixels."""


@dataclass(frozen=True)
class Measured:
    """One cell of the table."""

    task: str
    megapixels: int
    memory: int
    """Largest resident set in megabytes."""
    seconds: float
    cpu: float
    """Seconds of all cores together."""
    loop: float
    loop_cpu: float


def draw(path: Path, width: int, height: int) -> Path:
    """Write a mosaic of a photograph, every part with another brightness, as PNG."""
    photo = np.asarray(Image.fromarray(data.astronaut()).resize((1024, 1024), Image.Resampling.BICUBIC))
    with StreamedFile(path, RowFormat(height, width, 3)) as file:
        for top in range(0, height, len(photo)):
            row = np.concatenate(
                [photo // (2 + (top // 1024 + left // 1024) % 3) * 2 for left in range(0, width, 1024)], axis=1
            )
            file.write(row[: height - top, :width])
        file.close()
    return path


def draw_mask(path: Path, width: int, height: int) -> Path:
    """Write a mask with square holes 500 pixels apart."""
    with StreamedFile(path, RowFormat(height, width, 1)) as file:
        for top in range(0, height, 500):
            rows = np.zeros((min(500, height - top), width, 1), np.uint8)
            for left in range(200, width, 500):
                rows[200 : 200 + HOLE, left : left + HOLE] = 255
            file.write(rows)
        file.close()
    return path


def save(folder: Path, name: str, settings: dict[str, Any]) -> Path:
    """Write weights of untrained networks."""
    entry = registry.entry("tasks", name)
    task_type = entry.load()
    chosen = task_type.tiny_settings(**settings)
    chosen = chosen.resolved() if hasattr(chosen, "resolved") else chosen
    torch.manual_seed(0)
    networks = task_type(chosen).networks()
    path = folder / f"{name.rpartition('/')[2]}.safetensors"
    model = chosen.model.model_dump(mode="json")
    return save_weights(path, task=entry.full_name, model=model, networks=networks)


def words(task: str, folder: Path, megapixels: int, tiny: bool) -> list[str]:
    """Return the arguments of ``restore predict`` without the output folder, and draw what they name."""
    width, height = SIZES[megapixels]
    half, whole, mask = (folder / f"{name}-{megapixels}.png" for name in ("half", "whole", "mask"))
    if task in ("x2 network", "bicubic"):
        path = half if half.exists() else draw(half, width // 2, height // 2)
    else:
        path = whole if whole.exists() else draw(whole, width, height)
    if task == "x2 network":
        weights = save(folder, "srgan/srgan", {"model": {"scale": 2, **(TINY_GENERATOR if tiny else GENERATOR)}})
        return [str(weights), str(path)]
    if task == "bicubic":
        return ["bicubic", str(path), "--scale", "2"]
    if task == "segmentation":
        weights = save(folder, "unet/unet", {"model": {**(TINY_SEGMENTER if tiny else SEGMENTER), "size": [64, 64]}})
        return [str(weights), str(path), "--outputs", "overlay", "--inference-size", "native"]
    weights = save(folder, "inpaint_gan/inpaint-gan", {})
    return [str(weights), str(path), "--mask", str(mask if mask.exists() else draw_mask(mask, width, height))]


def run(command: list[str], environment: dict[str, str]) -> tuple[int, float, float]:
    """Run a process; return its largest resident set in megabytes, its seconds, and those of all cores."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return usage.ru_maxrss // 1024, time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def compute_only(
    method: Method, networks: Mapping[str, nn.Module], path: Path, image: SourceImage, *_: object, **options: Any
) -> list[Any]:
    """Compute the tiles of an image, or its patches, one after the other, and keep nothing."""
    canvas, device = Canvas.of(method, method.open_inputs(path, image)), torch.device("cpu")
    edge = canvas.first_edge(options["tile"]) or max(canvas.height, canvas.width)
    rows, columns = (tile_spans(side, edge, canvas.halo, canvas.step) for side in (canvas.height, canvas.width))
    with for_inference(networks, device, channels_last=method.channels_last) as view, torch.inference_mode():
        patches = method.patches(canvas.readers, view, device)
        if patches is not None:
            return [None for _ in patches][:0]
        for row in rows:
            for column in columns:
                seen = slice(row.seen_start, row.seen_stop), slice(column.seen_start, column.seen_stop)
                method.predict({name: canvas.window(name, *seen)[None] for name in method.inputs}, view)
    return []


def loop(arguments: list[str]) -> None:
    """Run ``restore predict`` with the plain loop in place of the engine."""
    prediction.predict_to_files = compute_only  # type: ignore[assignment]
    sys.argv = ["restore", "predict", *arguments]
    sys.exit(restore.cli.main())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=int, choices=SIZES, nargs="+", default=list(SIZES))
    parser.add_argument("--task", choices=TASKS, nargs="+", default=list(TASKS))
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--without-loop", action="store_true", help="measure the command alone")
    parser.add_argument("--tiny", action="store_true", help="networks of a few channels: memory is the same")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--loop", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.loop:
        loop(given.loop)
        return
    environment = {**os.environ, "RESTORE_MAX_MEGAPIXELS": "400"}
    if given.threads:
        environment["OMP_NUM_THREADS"] = str(given.threads)
    cells = []
    print(
        f"{'task':14}{'megapixels':>11}{'memory':>10}{'time':>9}{'cpu':>9}{'loop':>9}{'cpu':>9}{'ratio':>7}", flush=True
    )
    for cell in measure(given.task, given.megapixels, environment, given.without_loop, given.tiny):
        cells.append(cell)
        times = [cell.seconds, cell.cpu, *([cell.loop, cell.loop_cpu] if cell.loop else [])]
        ratio = f"{cell.seconds / cell.loop:7.2f}" if cell.loop else ""
        print(
            f"{cell.task:14}{cell.megapixels:11}{cell.memory:7} MB{''.join(f'{each:7.1f} s' for each in times)}{ratio}",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps([asdict(cell) for cell in cells], indent=2), "utf-8")


def measure(
    tasks: list[str], sizes: list[int], environment: dict[str, str], without_loop: bool, tiny: bool
) -> Iterator[Measured]:
    """Yield the cells."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as made:
        folder = Path(made)
        for task in tasks:
            for megapixels in sizes:
                arguments = words(task, folder, megapixels, tiny)
                command = [sys.executable, "-m", "restore.cli", "predict", *arguments, "--output", str(folder / "out")]
                command.append("--overwrite")
                memory, seconds, cpu = run(command, environment)
                plain, plain_cpu = 0.0, 0.0
                if not without_loop:
                    _, plain, plain_cpu = run([sys.executable, __file__, "--loop", *command[4:]], environment)
                yield Measured(task, megapixels, memory, seconds, cpu, plain, plain_cpu)


if __name__ == "__main__":
    main()
