"""What segmentation networks and recipes reach on a folder of pictures and masks, and how fast they train.

    python benchmarks/segmentation.py --data DIR                 the three networks by the reference's recipe
    python benchmarks/segmentation.py --data DIR --ladder        UNet++, one change after the other
    python benchmarks/segmentation.py --speed                    the default against a plain fp32 loop

Every row is trained from scratch for each seed, which also divides the pictures, and is measured with its best weights
on the pictures that it did not train on. ``reference`` is the recipe of pytorch-nested-unet,
plugins/unet/reference.yaml.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from torch.utils.data import DataLoader

from restore import registry
from restore.core.events import Event, StepDone
from restore.core.precision import choose
from restore.core.trainer import Trainer
from restore.plugins.unet.answers import normalised
from restore.plugins.unet.losses import EveryHead, bce_dice
from restore.plugins.unet.task import Segmentation

REFERENCE = yaml.safe_load((Path(__file__).parents[1] / "plugins" / "unet" / "reference.yaml").read_text("utf-8"))

NETWORKS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "UNet": ("unet/unet", {}),
    "UNet++": ("unet/nested-unet", {}),
    "UNet++ deep supervision": ("unet/nested-unet", {"deep_supervision": True}),
}

LADDER: Mapping[str, dict[str, Any]] = {
    "reference": {},
    "AdamW with one-cycle": {
        "optimizer": {"name": "adamw", "lr": 2e-3, "weight_decay": 1e-2, "clip_norm": 5.0}
        | {"schedule": {"name": "one-cycle", "warmup": 0.2}}
    },
    "BCE and Dice": {"loss": "unet/bce-dice"},
    "validation by foreground": {"split": "stratified"},
    "elastic deformation": {"augment": {"elastic": 0.3}},
    "averaged weights": {"ema": 0.99},
}
"""Each row keeps the changes of the rows above it."""

SCORES = ("iou-batch", "iou", "iou-image")


def train(task_name: str, run: dict[str, Any]) -> tuple[dict[str, float], float]:
    """Scores of the best weights, and the seconds that the run took."""
    task_type = registry.get("tasks", task_name)
    settings = task_type.settings_type.model_validate(run).decided()
    result = Trainer(task_type(settings), settings, name=task_name).fit()
    scores = {number.name: number.value for number in result.numbers if number.of == "segment"}
    return {name: scores[name] for name in SCORES}, result.seconds


def table(rows: Mapping[str, tuple[str, dict[str, Any]]], seeds: Sequence[int]) -> None:
    """Train every row for every seed and print Markdown: mean and spread."""
    print("| | " + " | ".join(SCORES) + " | minutes a run |\n|---|" + "---|" * (len(SCORES) + 1))
    for label, (task_name, run) in rows.items():
        runs = [train(task_name, {**run, "seed": seed}) for seed in seeds]
        cells = [_cell([scores[name] for scores, _ in runs]) for name in SCORES]
        minutes = statistics.mean(seconds for _, seconds in runs) / 60
        print(f"| {label} | {' | '.join(cells)} | {minutes:.1f} |", flush=True)


def _cell(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with changes; groups are merged, but an optimizer replaces the one before it."""
    result = dict(base)
    for name, value in changes.items():
        keep = isinstance(value, dict) and isinstance(result.get(name), dict) and name != "optimizer"
        result[name] = merged(result[name], value) if keep else value
    return result


def speed(rounds: int, steps: int, batch: int = 8) -> None:
    """Median seconds of a step of UNet++ on the sample: a plain fp32 loop and the engine's default, in turns."""
    task_type = registry.get("tasks", "unet/nested-unet")
    precision = choose("auto", torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    taken: dict[str, list[float]] = {"loop": [], "default": []}
    for _ in range(rounds):
        run = task_type.settings_type.model_validate(
            {"epochs": 1, "batch_size": batch, "samples_per_epoch": steps * batch, "sample_pictures": 0}
            | {"out": tempfile.mkdtemp(prefix="benchmark-")}
        ).decided()
        taken["loop"] += _loop(task_type(run), steps, batch)[2:]
        taken["default"] += _engine(task_type(run))[2:]
    plain, default = (statistics.median(taken[name]) for name in ("loop", "default"))
    print(
        f"plain fp32 loop {plain:.3f} s a step, default ({precision}) {default:.3f} s: {plain / default:.2f} x as fast"
    )


def _engine(task: Segmentation) -> list[float]:
    """Seconds of each step of a run."""
    seconds: list[float] = []

    def listener(event: Event) -> None:
        if isinstance(event, StepDone):
            seconds.append(event.seconds)

    Trainer(task, task.settings, listeners=[listener]).fit()
    return seconds


def _loop(task: Segmentation, steps: int, batch: int) -> list[float]:
    """Seconds of each step of the loop that one writes by hand."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = task.networks()["segmenter"].to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    pictures = task.data("train", task.phases()[0])
    loader = DataLoader(pictures, batch_size=batch, shuffle=True, drop_last=True)  # type: ignore[arg-type]
    loss, seconds = EveryHead(bce_dice()), []
    while True:
        began = time.perf_counter()
        for samples in loader:
            given = {name: value.to(device) for name, value in samples.items()}
            terms = loss(network(normalised(given["input"], task.model)), given)
            total = torch.stack(list(terms.values())).sum()
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            total.item()
            seconds.append(time.perf_counter() - began)
            if len(seconds) == steps:
                return seconds
            began = time.perf_counter()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with images/ and masks/")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, nargs="+", default=[41])
    parser.add_argument("--ladder", action="store_true")
    parser.add_argument("--precision", default="auto", help="of training; the reference trains in fp32")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--steps", type=int, default=12, help="--speed: steps of each way in a round")
    parser.add_argument("--rounds", type=int, default=3, help="--speed: rounds")
    arguments = parser.parse_args()
    if arguments.speed:
        speed(arguments.rounds, arguments.steps)
        return
    if arguments.data is None:
        parser.error("--data is needed")
    base = {"data": arguments.data, "epochs": arguments.epochs, "out": arguments.out, "precision": arguments.precision}
    run = merged(REFERENCE, base)
    if not arguments.ladder:
        table({label: (name, {**run, "model": model}) for label, (name, model) in NETWORKS.items()}, arguments.seeds)
        return
    rows: dict[str, tuple[str, dict[str, Any]]] = {}
    for label, changes in LADDER.items():
        run = merged(run, changes)
        rows[label] = ("unet/nested-unet", run)
    table(rows, arguments.seeds)


if __name__ == "__main__":
    main()
