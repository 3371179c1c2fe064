"""Compare segmentation networks and recipes on a folder of images and masks, and measure how fast they train.

    python benchmarks/segmentation.py --data DIR                 the three networks with the reference recipe
    python benchmarks/segmentation.py --data DIR --ladder UNet   one network, one change after the other
    python benchmarks/segmentation.py --levels RUN               UNet++ pruned to each of its levels: time and IoU
    python benchmarks/segmentation.py --speed                    the default against a plain fp32 loop

Every row is trained from scratch for each seed, which also splits the images, and evaluated with its best weights on
its validation images. Rows are printed when they are done. ``--json FILE`` stores finished runs, and an interrupted
benchmark continues where it stopped, even within a run. ``reference`` is the recipe of pytorch-nested-unet,
plugins/unet/reference.yaml.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
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
from restore.core.atomic import atomic_write
from restore.core.errors import Interrupted, RestoreError
from restore.core.events import Event, StepDone
from restore.core.runs.checkpoints import PREFIX
from restore.core.runs.folder import RunFolder
from restore.core.runs.resuming import merge_settings as resumed
from restore.core.runtime.precision import choose
from restore.core.training.trainer import Trainer
from restore.core.weights.files import open_weights
from restore.core.weights.header import find_weights
from restore.plugins.unet.inference import normalize
from restore.plugins.unet.levels import levels
from restore.plugins.unet.losses import EveryHead, bce_dice
from restore.plugins.unet.options import LevelsSettings
from restore.plugins.unet.task import Segmentation

REFERENCE = yaml.safe_load((Path(__file__).parents[1] / "plugins" / "unet" / "reference.yaml").read_text("utf-8"))

Row = tuple[str, dict[str, Any]]
"""A task's name, and the settings of its run."""

NETWORKS: Mapping[str, Row] = {
    "UNet": ("unet/unet", {}),
    "UNet++": ("unet/nested-unet", {}),
    "UNet++ deep supervision": ("unet/nested-unet", {"deep_supervision": True}),
}

LADDER: Mapping[str, dict[str, Any]] = {
    "reference": {},
    "AdamW with one-cycle": {
        "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 1e-2, "clip_norm": 5.0}
        | {"schedule": {"name": "one-cycle", "warmup": 0.2}}
    },
    "BCE and Dice": {"loss": "unet/bce-dice"},
    "elastic deformation": {"augment": {"elastic": 0.3}},
    "averaged weights": {"ema": 0.99},
    "no change of colors": {"augment": {"color": 0.0}},
}
"""Each row keeps the changes of the rows above it. None changes which images are measured, or how."""

SCORES = ("iou-batch", "iou", "iou-image")


def train(task_name: str, run: dict[str, Any], folder: Path | None = None) -> tuple[dict[str, float], float]:
    """Scores of the best weights, and the seconds that the run took.

    A run whose folder is given goes on from the checkpoint that it holds, if it holds any.
    """
    task_type = registry.get("tasks", task_name)
    resume = folder if folder is not None and any(RunFolder(folder).checkpoints.glob(f"{PREFIX}*")) else None
    if resume is not None:
        settings = resumed(task_type.settings_type, resume, {})
    else:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)  # interrupted before its first checkpoint
            run = {**run, "out": folder.parent, "name": folder.name}
        settings = task_type.settings_type.model_validate(run)
    result = Trainer(task_type, settings, name=task_name, resume=resume).fit()
    scores = {number.name: number.value for number in result.numbers if number.of == "segment"}
    return {name: scores[name] for name in SCORES}, result.seconds


class Results:
    """Finished runs, in a file where one is given: those that it holds are not trained again."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there. Raises SystemExit when the file holds something else."""
        self._path = path
        self._done: list[dict[str, Any]] = []
        if path is not None and path.exists():
            try:
                self._done = [{key: entry[key] for key in FIELDS} for entry in json.loads(path.read_text("utf-8"))]
            except (ValueError, TypeError, KeyError) as error:
                raise SystemExit(f"{path}: holds no results of this benchmark; give --json another file") from error

    def of(self, label: str, task_name: str, run: dict[str, Any]) -> tuple[dict[str, float], float]:
        """Scores and seconds of a run, from the file if the same run is in it, else trained now and written."""
        identity = {"label": label, "task": task_name, "run": {key: run[key] for key in run if key != "out"}}
        written = json.dumps(identity, default=str, sort_keys=True)
        identity = json.loads(written)
        for entry in self._done:
            if all(entry[key] == value for key, value in identity.items()):
                return entry["scores"], entry["seconds"]
        if self._path is None:
            return train(task_name, run)
        folder = Path(run["out"]) / f"{self._path.stem}-{hashlib.sha256(written.encode()).hexdigest()[:12]}"
        scores, seconds = train(task_name, run, folder)
        self._done.append({**identity, "scores": scores, "seconds": seconds})
        with atomic_write(self._path) as temporary:
            temporary.write_text(json.dumps(self._done, indent=1) + "\n", "utf-8")
        return scores, seconds


FIELDS = ("label", "task", "run", "scores", "seconds")
"""What is kept of a run: what it is called, everything that it is a function of, and what came out."""


def table(rows: Mapping[str, Row], seeds: Sequence[int], results: Results) -> None:
    """Train every row for every seed and print Markdown: mean and spread."""
    print("| | " + " | ".join(SCORES) + " | minutes a run |\n|---|" + "---|" * (len(SCORES) + 1), flush=True)
    for label, (task_name, run) in rows.items():
        runs = [results.of(label, task_name, {**run, "seed": seed}) for seed in seeds]
        cells = [_cell([scores[name] for scores, _ in runs]) for name in SCORES]
        minutes = statistics.mean(seconds for _, seconds in runs) / 60
        print(f"| {label} | {' | '.join(cells)} | {minutes:.1f} |", flush=True)


def _cell(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with changes; groups are merged, but an optimizer replaces the one before it."""
    result = dict(base)
    for name, value in changes.items():
        keep = isinstance(value, dict) and isinstance(result.get(name), dict) and name != "optimizer"
        result[name] = merge(result[name], value) if keep else value
    return result


def speed(rounds: int, steps: int, batch: int = 8) -> None:
    """Median seconds of a step of UNet++ on the sample: a plain fp32 loop and the engine's default, in turns."""
    task_type = registry.get("tasks", "unet/nested-unet")
    precision = choose("auto", torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    taken: dict[str, list[float]] = {"loop": [], "default": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as out:
            run = task_type.settings_type.model_validate(
                {"epochs": 1, "batch_size": batch, "samples_per_epoch": steps * batch, "sample_images": 0}
                | {"out": out}
            ).resolved()
            taken["loop"] += _loop(task_type(run), steps, batch)[2:]
            taken["default"] += _engine(task_type, run)[2:]
    plain, default = (statistics.median(taken[name]) for name in ("loop", "default"))
    print(
        f"plain fp32 loop {plain:.3f} s a step, default ({precision}) {default:.3f} s: {plain / default:.2f} x as fast"
    )


def _engine(task_type: type[Segmentation], run: Any) -> list[float]:
    """Seconds of each step of a run."""
    seconds: list[float] = []

    def listener(event: Event) -> None:
        if isinstance(event, StepDone):
            seconds.append(event.seconds)

    Trainer(task_type, run, name="unet/nested-unet", listeners=[listener]).fit()
    return seconds


def _loop(task: Segmentation, steps: int, batch: int) -> list[float]:
    """Seconds of each step of the loop that one writes by hand."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = task.networks()["segmenter"].to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    images = task.dataset("train", task.phases()[0])
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True)  # type: ignore[arg-type]
    loss, seconds = EveryHead(bce_dice()), []
    while True:
        began = time.perf_counter()
        for samples in loader:
            given = {name: value.to(device) for name, value in samples.items()}
            terms = loss(network(normalize(given["input"], task.model)), given)
            total = torch.stack(list(terms.values())).sum()
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            total.item()
            seconds.append(time.perf_counter() - began)
            if len(seconds) == steps:
                return seconds
            began = time.perf_counter()


def compare_levels(folder: Path, data: Path | None, repeats: int) -> None:
    """Time of each pruned level as a share of the deepest one's, and its IoU on the images that the run held out."""
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    given = {key: config[key] for key in ("data", "seed", "val_fraction", "split", "image_ext", "mask_ext")}
    given |= {"data": data, "subset": "all"} if data is not None else {"subset": "validation"}
    options = LevelsSettings(**given, repeats=repeats)
    task, networks = open_weights(find_weights(folder), registry.get)
    found = list(levels(task, networks, options))
    print("| level | parameters | time of L4 | IoU over the set |\n|---|---|---|---|".replace("L4", f"L{len(found)}"))
    for level in found:
        share = level.milliseconds / found[-1].milliseconds
        print(f"| L{level.level} | {level.parameters:,} | {share:.3f} | {level.iou:.4f} |")


def chosen(ladder: str | None, base: dict[str, Any], only: Sequence[str] | None) -> dict[str, Row]:
    """The rows of a table, or those of them that ``only`` names. Raises SystemExit for a name that there is not.

    Args:
        ladder: the network whose recipe changes from row to row; unset, every network by the reference's recipe.
        base: settings of every row.
        only: labels of rows.
    """
    run = merge(REFERENCE, base)
    rows: dict[str, Row] = {}
    if ladder is not None:
        name, model = NETWORKS[ladder]
        run = merge(run, {"model": model})
        for label, changes in LADDER.items():
            run = merge(run, changes)
            rows[label] = (name, run)
    else:
        rows = {label: (name, merge(run, {"model": model})) for label, (name, model) in NETWORKS.items()}
    unknown = sorted(set(only or ()) - set(rows))
    if unknown:
        raise SystemExit(f"no row is called {', '.join(unknown)}; there are: {', '.join(rows)}")
    return {label: row for label, row in rows.items() if only is None or label in only}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with images/ and masks/")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, nargs="+", default=[41])
    parser.add_argument("--ladder", choices=NETWORKS, metavar="NETWORK", help=f"one of {', '.join(NETWORKS)}")
    parser.add_argument(
        "--channels", type=int, help="channels of the first level; half of them train four times as fast"
    )
    parser.add_argument("--only", nargs="+", metavar="LABEL", help="rows to train, by their labels")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep finished runs here, and skip those it holds")
    parser.add_argument("--precision", default="auto", help="of training; the reference trains in fp32")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--levels", type=Path, metavar="RUN", help="folder of a run with --deep-supervision")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--steps", type=int, default=12, help="--speed: steps of each way in a round")
    parser.add_argument("--rounds", type=int, default=3, help="--speed: rounds; --levels: ten calls each")
    arguments = parser.parse_args()
    if arguments.levels is not None:
        compare_levels(arguments.levels, arguments.data, 10 * arguments.rounds)
    elif arguments.speed:
        speed(arguments.rounds, arguments.steps)
    elif arguments.data is None:
        parser.error("--data is needed")
    else:
        base = {name: getattr(arguments, name) for name in ("data", "epochs", "out", "precision")}
        base["model"] = {} if arguments.channels is None else {"channels": arguments.channels}
        try:
            table(chosen(arguments.ladder, base, arguments.only), arguments.seeds, Results(arguments.json))
        except Interrupted as stopped:
            how = "the same command goes on from there" if arguments.json else "give --json FILE to be able to go on"
            raise SystemExit(f"{stopped}; {how}") from None
        except RestoreError as error:
            raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
