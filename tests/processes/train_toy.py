"""Train a small task as one of several processes: ``train_toy.py TASK OUT {settings as JSON} [WORD…]``.

TASK is a class of `toy_tasks`, or a registered task such as ``srgan/srgan``, which is trained with its tiny settings.
The words are ``resume``, ``fail``, ``kill=STEP``, ``threads``: write the threads that are left at the end to
``threads.RANK.json``, and ``shared``: the processes are on one device, and must end with equal weights.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import toy_tasks

from restore import registry
from restore.core.errors import RestoreError
from restore.core.events import Event, StepDone
from restore.core.runtime.accelerator import end_process_group
from restore.core.runtime.processes import report_failure
from restore.core.training.trainer import Trainer


def share_one_device() -> None:
    """Join the other processes through gloo: NCCL refuses two of them on one GPU."""
    os.environ["LOCAL_RANK"] = "0"
    torch.distributed.init_process_group("gloo")


def kept(built: list[torch.nn.Module], networks: dict[str, torch.nn.Module]) -> dict[str, torch.nn.Module]:
    """Remember networks that the engine is given."""
    built += networks.values()
    return networks


def check_equal(networks: list[torch.nn.Module]) -> None:
    """Compare the parameters of all processes; buffers, such as running means, are each process's own."""
    mine = torch.cat([p.detach().flatten().cpu() for network in networks for p in network.parameters()])
    low, high = mine.clone(), mine.clone()
    torch.distributed.all_reduce(low, torch.distributed.ReduceOp.MIN)
    torch.distributed.all_reduce(high, torch.distributed.ReduceOp.MAX)
    if not torch.equal(low, high):
        raise RuntimeError(f"the processes are apart by up to {float((high - low).max())}")


def note_threads(out: str) -> None:
    """Write the names of the threads that still run, where the system tells them."""
    threads = [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
    Path(out, f"threads.{os.environ['RANK']}.json").write_text(json.dumps(threads), "utf-8")


def train(task: str, out: str, changes: str, *what: str) -> None:
    """Train as `__main__` says, and leave the processes connected."""
    if "shared" in what:
        share_one_device()
    changed = {"name": "run", **json.loads(changes)}
    if "/" in task:
        task_type = registry.get("tasks", task)
        settings = task_type.tiny_settings(out=out, **changed)
    else:
        task_type, settings = getattr(toy_tasks, task), toy_tasks.toy_settings(Path(out), **changed)
    resume = Path(out) / "run" if "resume" in what else None

    def listener(event: Event) -> None:
        kill = next((word for word in what if word.startswith("kill=")), None)
        if kill and isinstance(event, StepDone) and event.run_step == int(kill.removeprefix("kill=")):
            Path(out, "killed").touch()  # what else ends the run leaves no such file
            os.kill(os.getpid(), signal.SIGKILL)

    if "fail" in what and os.environ["RANK"] == "1":

        class Failing(task_type):  # type: ignore[misc, valid-type]
            def train_step(self, batch, step):  # type: ignore[no-untyped-def]
                if step.run_step == 3:
                    raise ValueError("rank one broke")
                super().train_step(batch, step)

        task_type = Failing
    built: list[torch.nn.Module] = []
    if "shared" in what:

        class Watched(task_type):  # type: ignore[misc, valid-type]
            def networks(self):  # type: ignore[no-untyped-def]
                return kept(built, super().networks())

            def training_networks(self):  # type: ignore[no-untyped-def]
                return kept(built, super().training_networks())

        task_type = Watched
    Trainer(task_type, settings, name=task if "/" in task else f"toy/{task}", resume=resume, listeners=[listener]).fit()
    if "shared" in what:
        check_equal(built)


if __name__ == "__main__":
    try:
        train(*sys.argv[1:])
        end_process_group()
        if "threads" in sys.argv:
            note_threads(sys.argv[2])
    except RestoreError as error:
        report_failure(str(error), error.exit_status)
        sys.exit(error.exit_status)
    except Exception:  # noqa: BLE001 - whatever a process dies of is its own words
        report_failure(traceback.format_exc(), 1)
        sys.exit(1)
