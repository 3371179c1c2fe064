"""Measurements of `gpu.sh`: speed, memory and half precision on one device. Prints a line ``ROW {json}`` per result.

    python benchmarks/gpu_steps.py --device cuda speed|compile|fp16|tasks
    python benchmarks/gpu_steps.py --device cuda task srgan/srgan

On the CPU everything is small, so that each step takes seconds; this tests the script and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from gpu_meter import Meter
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from restore import registry
from restore.core.events import Event, Logged, StepDone
from restore.core.task import Task
from restore.core.training.trainer import Trainer

SRGAN = "srgan/srgan"
BATCH = {"cuda": 16, "cpu": 4}
STEPS = {"cuda": 400, "cpu": 8}


class Watcher:
    """Listens to a run and measures its speed by phase.

    Args:
        steps: optimizer steps of an epoch; a phase has one epoch.
        device: device of the run.
    """

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        self.meters: dict[str, Meter] = {}
        self.log: list[Logged] = []

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, StepDone):
            if event.phase not in self.meters:
                self.meters[event.phase] = Meter(event.steps, self.device)
            self.meters[event.phase].step(event.samples, event.waited)
        elif isinstance(event, Logged):
            self.log.append(event)


def train(name: str, run: Any, device: str) -> Watcher:
    """Train a task in a temporary folder."""
    watcher = Watcher(device)
    task_type = registry.get("tasks", name)
    with tempfile.TemporaryDirectory(prefix="gpu-") as out:
        run = run.model_copy(update={"out": Path(out)})
        Trainer(task_type, run, name=name, listeners=[watcher]).fit()
    return watcher


def srgan(device: str, epochs: int = 1, **changes: Any) -> Any:
    """Return settings of the published SRResNet x4 with one epoch of pretraining; small on the CPU."""
    small = {"channels": 4, "blocks": 1} if device == "cpu" else {"channels": 64, "blocks": 16}
    task_type: type[Task] = registry.get("tasks", SRGAN)
    common = {
        "model": {"architecture": "srresnet", "scale": 4, **small},
        "epochs": epochs,
        "samples_per_epoch": BATCH[device] * STEPS[device],
        "batch_size": BATCH[device],
        "crop_size": 96 if device == "cuda" else 32,
        "sample_images": 0,
        "device": device,
    }
    if device == "cpu":
        common |= {key: task_type.tiny_settings().model_dump()[key] for key in ("discriminator", "perceptual")}
    return task_type.settings_type.model_validate({**common, **changes}).resolved()


def plain_loop(run: Any, tf32: bool) -> Meter:
    """Train the same network with the same data and loss in a plain loop, as in tutorials; fp32 in NCHW."""
    task = registry.get("tasks", SRGAN)(run)
    device = torch.device(run.device)
    network = task.networks()["generator"].to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    images: Any = task.dataset("train", task.phases()[0])
    order = RandomSampler(images, replacement=True, num_samples=run.samples_per_epoch)  # more samples than images
    workers = 4 if device.type == "cuda" else 0
    loader = DataLoader(images, run.batch_size, sampler=order, num_workers=workers, pin_memory=device.type == "cuda")
    meter = Meter(len(loader), device)
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=tf32):
        asked = time.perf_counter()
        for batch in loader:
            waited = time.perf_counter() - asked
            output = network(batch["input"].to(device, non_blocking=True))
            loss = nn.functional.l1_loss(output, batch["target"].to(device, non_blocking=True))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            meter.step(len(output), waited)
            asked = time.perf_counter()
    return meter


def tell(row: dict[str, Any]) -> None:
    """Print one row of the table."""
    print("ROW", json.dumps(row), flush=True)


def speed(device: str) -> None:
    """Measure plain loops with TF32 off and on, and the engine with its defaults."""
    run = srgan(device)
    for tf32 in (False, True):
        tell(plain_loop(run, tf32).row(f"plain loop, fp32, TF32 {'on' if tf32 else 'off'}"))
    for precision in ("fp32", "auto"):
        watcher = train(SRGAN, srgan(device, precision=precision), device)
        tell(watcher.meters["pretrain"].row(f"engine, --precision {precision}"))


def compiled(device: str) -> None:
    """Measure the engine with --compile; the seconds of the step include compiling."""
    watcher = train(SRGAN, srgan(device, compile=True), device)
    tell(watcher.meters["pretrain"].row("engine, --compile"))


def fp16(device: str) -> None:
    """Train the adversarial phase in fp16 (bf16 on the CPU, which has no fp16): two optimizers, each with its own
    scaler."""
    precision = "fp16" if device == "cuda" else "bf16"
    run = srgan(device, epochs=2, precision=precision, pretrain={"epochs": 1}, log_every=1)
    watcher = train(SRGAN, run, device)
    phase, meter = list(watcher.meters.items())[-1]
    lines = [line.numbers for line in watcher.log if line.phase == phase]
    names = ("generator/gradient", "discriminator/gradient")
    steps = {name: sum(name in line for line in lines) for name in names}
    if not all(math.isfinite(value) for line in lines[len(lines) // 2 :] for value in line.values()):
        raise SystemExit(f"{precision}: a loss of the second half of the phase is not finite")
    if min(steps.values()) < len(lines) // 2:
        raise SystemExit(f"{precision}: of {len(lines)} steps each optimizer took only {steps}")
    taken = ", ".join(f"{name.partition('/')[0]} {count}" for name, count in steps.items())
    tell(meter.row(f"engine, {precision}, adversarial", f"steps taken of {len(lines)}: {taken}"))


def task(name: str, device: str) -> None:
    """Train one epoch of each phase of a task with its own settings."""
    task_type: type[Task] = registry.get("tasks", name)
    if device == "cuda":
        run: Any = task_type.settings_type.model_validate({"epochs": 2, "device": device})
    else:
        run = task_type.tiny_settings(samples_per_epoch=8)
    watcher = train(name, run.resolved(), device)
    for phase, meter in watcher.meters.items():
        if meter.seconds:
            tell(meter.row(f"{name}, {phase}"))


def main() -> None:
    """Run one step of the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", required=True, choices=["cuda", "cpu"])
    parser.add_argument("step", choices=["speed", "compile", "fp16", "tasks", "task"])
    parser.add_argument("name", nargs="?")
    arguments = parser.parse_args()
    if arguments.step == "tasks":
        specs = ((entry.full_name, entry.spec) for entry in registry.entries("tasks"))
        print(*(name for name, spec in specs if isinstance(spec, registry.TaskSpec) and spec.trains))
    elif arguments.step == "task":
        task(arguments.name, arguments.device)
    else:
        {"speed": speed, "compile": compiled, "fp16": fp16}[arguments.step](arguments.device)


if __name__ == "__main__":
    main()
