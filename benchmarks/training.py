"""Compare the engine with a hand-written loop, and measure what its default precision and compiling gain.

    python benchmarks/training.py            a table
    python benchmarks/training.py --json     engine_over_loop, default_over_fp32, compiled_over_fp32

Trains SRResNet x4, batch 16 of 96-pixel crops, in interleaved rounds. Every result is a ratio of times measured within
minutes on the same machine, never an absolute time. Smaller networks, batches and crops (``--model``, ``--batch-size``,
``--crop-size``) try the program and measure nothing. ``tutorial fp32`` is a loop as in tutorials; the others use the
memory format of the engine, channels_last, so that the engine is the only difference.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from restore import registry
from restore.core.events import Event, StepDone
from restore.core.graphs.tracing import simplify_layers
from restore.core.runtime.precision import autocast, choose
from restore.core.task import Task
from restore.core.training.trainer import Trainer

PLAIN = "tutorial fp32"


def settings(task: type[Task], model: Mapping[str, Any], batch: int, crop: int, steps: int, **changes: Any) -> Any:
    """Return settings of a run with this many steps of pretraining."""
    return task.settings_type.model_validate(
        {
            "model": {"scale": 4, "channels": 64, "blocks": 16, **model},
            "epochs": 1,
            "samples_per_epoch": batch * steps,
            "batch_size": batch,
            "crop_size": crop,
            "workers": 0,
            "sample_images": 0,
            "report": False,
            **changes,
        }
    )


def engine(task_type: type[Task], run: Any) -> list[float]:
    """Return the seconds of each optimizer step of a run."""
    seconds: list[float] = []

    def listener(event: Event) -> None:
        if isinstance(event, StepDone):
            seconds.append(event.seconds)

    with tempfile.TemporaryDirectory(prefix="benchmark-") as out:
        run = run.model_copy(update={"out": Path(out)})
        Trainer(_Unmeasured.of(task_type), run, name="benchmark/unmeasured", listeners=[listener]).fit()
    return seconds


class _Unmeasured:
    """Leaves out what is not training: baselines and all but one validation image."""

    @staticmethod
    def of(task_type: type[Task]) -> type[Task]:
        def dataset(self: Any, split: Any, phase: Any) -> Any:
            images = task_type.dataset(self, split, phase)
            return images if split == "train" else _First(images)

        return type("Unmeasured", (task_type,), {"dataset": dataset, "baselines": lambda _: {}})


class _First:
    def __init__(self, images: Any) -> None:
        self.images = images

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return {name: value[..., :64, :64] for name, value in self.images[0].items() if name == "target"} | {
            "input": self.images[0]["input"][..., :16, :16]
        }

    def name(self, index: int) -> str:
        return str(self.images.name(index))


def loop(task_type: type[Task], run: Any, precision: str, memory_format: torch.memory_format) -> list[float]:
    """Return the seconds of each step of a hand-written loop with the same network, data and loss."""
    task = task_type(run)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = simplify_layers(task.networks()["generator"]).to(device, memory_format=memory_format)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    images: Any = task.dataset("train", task.phases()[0])
    order = RandomSampler(images, replacement=True, num_samples=run.samples_per_epoch)  # more samples than images
    seconds: list[float] = []
    began = time.perf_counter()
    for batch in DataLoader(images, batch_size=run.batch_size, sampler=order):
        with autocast(device, precision):
            output = network(batch["input"].to(device, memory_format=memory_format))
        loss = nn.functional.l1_loss(output.float(), batch["target"].to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
    return seconds


def compare(make_settings: Callable[..., Any], rounds: int, compiled: bool) -> dict[str, float]:
    """Return the median step time in seconds of every variant; variants take turns.

    Args:
        make_settings: returns the settings of a run of a task, with changes.
        rounds: number of runs of each variant.
        compiled: whether to compile too.
    """
    task_type = registry.get("tasks", "srgan/srgan")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    default = choose("auto", device)

    def make(**changes: Any) -> Any:
        return make_settings(task_type, **changes)

    ways: dict[str, Callable[[], list[float]]] = {
        PLAIN: lambda: loop(task_type, make(), "fp32", torch.contiguous_format),
        "loop fp32": lambda: loop(task_type, make(), "fp32", torch.channels_last),
        "engine fp32": lambda: engine(task_type, make(precision="fp32")),
        f"loop {default}": lambda: loop(task_type, make(), default, torch.channels_last),
        f"engine {default} (the default)": lambda: engine(task_type, make(precision=default)),
    }
    if compiled:
        ways[f"engine {default} --compile"] = lambda: engine(task_type, make(precision=default, compile=True))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds = way()
            taken[name].extend(seconds[max(2, len(seconds) // 4) :])  # the first ones warm up or compile
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--architecture", default="srresnet", choices=["srresnet", "msrresnet"])
    parser.add_argument("--model", type=json.loads, default={}, metavar="JSON", help="other settings of the network")
    parser.add_argument("--batch-size", type=int, default=16, help="images of a batch")
    parser.add_argument("--crop-size", type=int, default=96, help="side of the crops in pixels")
    parser.add_argument("--steps", type=int, default=16, help="steps of each way in a round, at least 3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-compile", action="store_true")
    arguments = parser.parse_args(words)
    if arguments.steps < 3:
        parser.error(f"--steps {arguments.steps}: the first two do not count, so it takes at least 3")
    make_settings = partial(
        settings,
        model={"architecture": arguments.architecture, **arguments.model},
        batch=arguments.batch_size,
        crop=arguments.crop_size,
        steps=arguments.steps,
    )
    medians = compare(make_settings, arguments.rounds, not arguments.no_compile)
    plain = medians[PLAIN]
    default = next(name for name in medians if name.endswith("(the default)"))
    own_loop = f"loop {default.split()[1]}"
    ratios = {
        "engine_over_loop": medians[default] / medians[own_loop],
        "engine_over_loop_fp32": medians["engine fp32"] / medians["loop fp32"],
        "default_over_fp32": plain / medians[default],
    }
    compiled = next((name for name in medians if name.endswith("--compile")), None)
    if compiled:
        ratios["compiled_over_fp32"] = plain / medians[compiled]
    if arguments.json:
        print(json.dumps({name: round(value, 3) for name, value in ratios.items()}))
        return
    sizes = f"batch {arguments.batch_size} of {arguments.crop_size}-pixel crops"
    print(f"{arguments.architecture} x4, {sizes}, {torch.get_num_threads()} threads")
    for name, seconds in medians.items():
        print(
            f"  {name:28} {arguments.batch_size / seconds:7.1f} images/s   {plain / seconds:5.2f} x the tutorial's loop"
        )
    print(f"  the engine costs {100 * (ratios['engine_over_loop'] - 1):+.1f} % over a loop of the same precision")


if __name__ == "__main__":
    main()
