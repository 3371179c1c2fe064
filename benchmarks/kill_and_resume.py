"""Kill training runs at random moments, resume them, and compare them bit for bit with uninterrupted runs.

    python benchmarks/kill_and_resume.py                    25 kills of each of five small tasks
    python benchmarks/kill_and_resume.py --kills 3 --seed 7

Each kill uses a random choice of 1 or 2 processes, accumulation of 1 or 2, and 0 or 2 workers, and is a real
``kill -9`` after a random step. Weights, optimizer states, averages and log lines (except times) must be equal. The
exit status is 1 if they are not.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from restore.core.runs.checkpoints import load_newest
from restore.core.runtime.launching import launch

TRAIN = Path(__file__).parents[1] / "tests" / "processes" / "train_toy.py"
STEPS = 16
"""Optimizer steps of one run."""

TASKS: dict[str, dict[str, Any]] = {
    "srgan/srgan": {"pretrain": {"epochs": 2}, "batch_size": 4, "samples_per_epoch": 16},
    "TwoPhases": {"first_epochs": 2},
    "Penalty": {},
    "Heads": {},
    "Variational": {},
}
"""Tasks, and the settings with which a run of four epochs is as long as it is said to be."""


def command(task: str, out: Path, changes: dict[str, Any], *what: str) -> list[str]:
    """Return a command line that trains a small task."""
    return [sys.executable, str(TRAIN), task, str(out), json.dumps(changes), *what]


def run(task: str, out: Path, changes: dict[str, Any], processes: int, *what: str) -> None:
    """Train to the end."""
    outcome = launch(command(task, out, changes, *what), processes)
    if outcome.status:
        raise SystemExit(f"{task} failed: {outcome.message}")


def kill_at(step: int, task: str, out: Path, changes: dict[str, Any], processes: int) -> None:
    """Train until the main process kills itself with SIGKILL after a step; the other processes end with it."""
    outcome = launch(command(task, out, changes, f"kill={step}"), processes)
    if not (out / "killed").exists():  # somebody stops this program too, or the run failed before
        raise SystemExit(f"{task} was to be killed at step {step} and was not: {outcome.message or outcome}")


def state(out: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """Return every tensor of the last checkpoint and every log line, without times."""
    _, checkpoint = load_newest(out / "run" / "checkpoints", damaged=print)
    tensors = {f"{group}/{name}": t for group, named in checkpoint.tensors.items() for name, t in named.items()}
    lines = [json.loads(line) for line in (out / "run" / "metrics.jsonl").read_text().splitlines()]
    return tensors, [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def difference(one: Path, other: Path) -> str | None:
    """Return what differs between two runs; None if they are equal bit for bit."""
    (tensors, log), (others, other_log) = state(one), state(other)
    if tensors.keys() != others.keys():
        return "other tensors"
    unequal = [name for name, tensor in tensors.items() if not torch.equal(tensor, others[name])]
    if unequal:
        return f"{len(unequal)} tensors, the first {unequal[0]}"
    return None if log == other_log else "the log"


def main() -> int:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25, help="kills of each task")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    arguments = parser.parse_args()
    rng, wrong = random.Random(arguments.seed), 0
    with tempfile.TemporaryDirectory() as temporary:
        whole: dict[str, Path] = {}
        for task in arguments.tasks:
            for kill in range(arguments.kills):
                processes, accumulate, workers = (rng.choice(pair) for pair in ((1, 2), (1, 2), (0, 2)))
                changes = {
                    "epochs": 4, "ema": 0.9, "accumulate": accumulate, "workers": workers,
                    "checkpoint_every": rng.choice(("1", "3", "1e")), "log_every": 3, **TASKS[task],
                }  # fmt: skip
                key = f"{task.replace('/', '-')}-{processes}-{accumulate}"
                if key not in whole:
                    whole[key] = Path(temporary) / key
                    run(task, whole[key], changes, processes)
                out = Path(temporary) / f"{key}-{kill}"
                step = rng.randint(1, STEPS - 1)
                kill_at(step, task, out, changes, processes)
                run(task, out, changes, processes, "resume")
                problem = difference(whole[key], out)
                wrong += problem is not None
                print(
                    f"{task:12} {processes} processes, accumulate {accumulate}, {workers} workers, killed at "
                    f"step {step}: {problem or 'equal'}",
                    flush=True,
                )
    print(f"{wrong} of {arguments.kills * len(arguments.tasks)} resumed runs differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
