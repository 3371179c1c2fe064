"""Measure how long training waits for its data: whole photographs against sub-images of ``restore data prepare``.

    python benchmarks/data_loading.py                        a table: two forms, 0 and 2 data loading processes
    python benchmarks/data_loading.py --photos 40 --steps 12
    python benchmarks/data_loading.py --json FILE            the numbers as JSON too

Draws photographs of 12 megapixels (4000 x 3000, JPEG), prepares sub-images of them, and trains SRResNet x4 on both,
with batches of 16 crops of 96 pixels. Each cell is a process of its own. ``waits`` is the share of the time of the
steps in which the network had no batch; ``start`` the seconds from the call of the trainer to the first step. The
photographs are more than a folder keeps decoded, as in large data sets.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from restore import registry
from restore.core.events import Event, StepDone
from restore.core.training.trainer import Trainer

WIDTH, HEIGHT = 4000, 3000
TILE = 512
FORMS = ("photographs", "sub-images")


@dataclass(frozen=True)
class Cell:
    """One line of the table."""

    form: str
    workers: int
    files: int
    start: float
    """Seconds until the first step."""
    step: float
    """Mean seconds of a step, including the wait."""
    waits: float
    """Share of the time of the steps that was spent waiting, in [0, 1]."""


def draw_photographs(folder: Path, count: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Write photographs with the grain of a sensor; no two are equal."""
    folder.mkdir(parents=True)
    scenes = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    for number in range(count):
        scene = Image.fromarray(scenes[number % len(scenes)]).resize(size, Image.Resampling.BICUBIC)
        grain = np.random.default_rng(number).normal(0, 6, (size[1], size[0], 1)).astype(np.float32)
        noisy = np.clip(np.asarray(scene, np.float32) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:04}.jpg", quality=92)
    return folder


def prepare(photos: Path, output: Path, size: int = TILE) -> Path:
    """Cut photographs into sub-images with the command."""
    words = ["data", "prepare", str(photos), "--size", str(size), "--output", str(output)]
    subprocess.run([sys.executable, "-m", "restore.cli", *words], check=True, stdout=subprocess.DEVNULL)
    return output


def train(folder: Path, workers: int, steps: int, model: dict[str, object]) -> Cell:
    """Train on a folder, and time its start and its steps; the first steps, which warm up, do not count."""
    done: list[StepDone] = []
    first = 0.0

    def listen(event: Event) -> None:
        nonlocal first
        if isinstance(event, StepDone):
            first = first or time.perf_counter() - event.seconds
            done.append(event)

    task = registry.get("tasks", "srgan/srgan")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as made:
        validation = draw_photographs(Path(made, "validation"), 1, (96, 96))
        settings = task.settings_type.model_validate(
            {
                "model": {"architecture": "srresnet", "scale": 4, **model},
                "data": folder,
                "val_data": validation,
                "out": Path(made, "runs"),
                "epochs": 1,
                "samples_per_epoch": 16 * steps,
                "batch_size": 16,
                "crop_size": 96,
                "workers": workers,
                "sample_images": 0,
                "report": False,
            }
        )
        began = time.perf_counter()
        Trainer(task, settings, name="srgan/srgan", listeners=[listen]).fit()
    counted = done[2:] or done
    whole = sum(event.seconds for event in counted)
    files = sum(1 for _ in folder.iterdir())
    waited = sum(event.waited for event in counted)
    return Cell(folder.name, workers, files, first - began, whole / len(counted), waited / whole)


def measure(photos: int, steps: int, workers: Sequence[int]) -> Iterator[Cell]:
    """Yield the cells, each measured in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as made:
        whole = draw_photographs(Path(made, FORMS[0]), photos)
        folders = [whole, prepare(whole, Path(made, FORMS[1]))]
        for folder in folders:
            for count in workers:
                words = ["--folder", str(folder), "--workers", str(count), "--steps", str(steps)]
                told = subprocess.run(
                    [sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True
                ).stdout
                yield Cell(**json.loads(told.splitlines()[-1]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--model", type=json.loads, default={"channels": 64, "blocks": 16}, help="of SRResNet, as JSON")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="train on this folder alone, and print one JSON object")
    given = parser.parse_args(arguments)
    if given.folder:
        print(json.dumps(asdict(train(given.folder, given.workers[0], given.steps, given.model))))
        return
    cells = []
    print(f"{'data':14}{'files':>7}{'processes':>11}{'start':>9}{'a step':>9}{'waits':>8}", flush=True)
    for cell in measure(given.photos, given.steps, given.workers):
        cells.append(cell)
        print(
            f"{cell.form:14}{cell.files:7}{cell.workers:11}{cell.start:7.2f} s{cell.step:7.2f} s{cell.waits:8.0%}",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps([asdict(cell) for cell in cells], indent=2), "utf-8")


if __name__ == "__main__":
    main()
