"""Train a task: set the run up, or take it up again, and go through its phases."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from restore.core import events
from restore.core.chance import derive, seed_everything
from restore.core.errors import CheckpointError, NothingToTrain, UsageError
from restore.core.machine import processes
from restore.core.machine.accelerator import from_main, make_accelerator
from restore.core.machine.devices import shown
from restore.core.machine.precision import choose
from restore.core.machine.processes import is_main_process
from restore.core.measuring import Number
from restore.core.records import checkpoints
from restore.core.records.checkpoints import Checkpoint
from restore.core.records.folder import RunFolder, new_run_folder, write_config
from restore.core.records.summary import write_summary
from restore.core.records.tracking import Tracker
from restore.core.settings import RunSettings, with_absolute_paths
from restore.core.steps import Phase
from restore.core.task import Task
from restore.core.training import snapshot
from restore.core.training.averaging import Averages
from restore.core.training.beginning import Beginning, read_beginning
from restore.core.training.order import Plan, make_plan
from restore.core.training.parts import Parts
from restore.core.training.planning import check_pictures, check_plan, check_schedules, identity
from restore.core.training.run import Run
from restore.core.training.stopping import StopSignals
from restore.core.training.turns import Networks


@dataclass(frozen=True)
class RunResult:
    """What a run came to."""

    folder: Path
    weights: Path
    """The best weights of its last phase."""
    numbers: Sequence[Number]
    """Of the baselines and of the best weights of each phase, on the validation pictures."""
    seconds: float


class Trainer:
    """Trains one task by its settings.

    Args:
        task: the task, built from the same settings.
        settings: what the run is a function of.
        name: full name of the task, as ``srgan/srgan``; weights files carry it.
        listeners: told about everything that happens, on the main process only.
        resume: folder of a run that goes on; unset, a new one is made.
    """

    def __init__(
        self,
        task: Task,
        settings: RunSettings,
        *,
        name: str | None = None,
        listeners: Sequence[events.Listener] = (),
        resume: Path | None = None,
    ) -> None:
        self.task = task
        self.settings = settings
        self.name = name or type(task).__name__.lower()
        self.listeners = listeners
        self.resume = resume

    def fit(self) -> RunResult:
        """Run to the end.

        Raises:
            NothingToTrain: the task is a fixed method.
            UsageError: the settings or the data cannot be meant.
            DataError: a picture is damaged.
            CheckpointError: the run to be resumed has no checkpoint that can be read.
            Interrupted: told to stop by Ctrl-C or SIGTERM; a checkpoint is saved.
            TrainingDiverged: too many steps in a row were not finite.
        """
        phases = [phase for phase in self.task.phases() if phase.epochs > 0]
        if not phases:
            raise NothingToTrain(
                f"{self.name} is a fixed method and has nothing to train; use it at once: "
                f"restore predict {self.name.rpartition('/')[2]} PICTURE --output DIR"
            )
        check_schedules(phases, self.settings, self._notice)
        _use_deterministic_kernels(self.settings)
        accelerator = self._accelerator()
        settings, beginning = self._begin(self._decide(accelerator))
        seed_everything(derive(settings.seed, "weights"))
        # the data and the plan first: what is wrong with them should be said before anything is made
        pictures = {"train": self.task.data("train", phases[0]), "validation": self.task.data("validation", phases[0])}
        plan = make_plan(settings, len(pictures["train"]), processes=accelerator.num_processes)
        networks = self._networks(accelerator, settings)
        taken = beginning.load(networks.raw, settings.only) if beginning else None
        averaged = {name: networks.raw[name] for name in self.task.exported}
        averages = Averages(averaged, settings.ema) if settings.ema else None
        data = identity(pictures)
        checkpoint = self._checkpoint(phases, data, networks, averages)
        folder = self._folder(accelerator, settings)
        tracker = self._tracker(accelerator, folder, checkpoint)
        seed_everything(derive(settings.seed, "steps", accelerator.process_index))
        parts = Parts(
            self.task, self.name, settings, phases, folder, accelerator, networks, averages, tracker,
            self._emit if accelerator.is_main_process else _nobody_listens,
            pictures, data,
        )  # fmt: skip
        parts.emit(_started(parts, plan, checkpoint, taken))
        return self._go(parts, checkpoint)

    def _go(self, parts: Parts, checkpoint: Checkpoint | None) -> RunResult:
        try:
            with StopSignals() as stop:
                run = Run(parts, stop, checkpoint)
                run.go()
        finally:
            if parts.tracker:
                parts.tracker.close()
        numbers = [Number(**number) for group in run.progress.numbers.values() for number in group]
        result = RunResult(parts.folder.path, parts.folder.best, numbers, run.seconds)
        if parts.accelerator.is_main_process:
            write_summary(
                parts.folder, parts.name, parts.settings, shown(parts.accelerator.device), numbers, run.seconds
            )
        parts.emit(events.RunFinished(result.folder, result.weights, numbers, run.seconds))
        return result

    # --- setting up -------------------------------------------------------------------------------------------

    def _accelerator(self) -> Accelerator:
        accelerator = make_accelerator(self.settings)
        if accelerator.num_processes == 1 and processes.launched_alone():
            self._notice(
                "accelerate launch was asked for several processes and started one, as it does on CPUs; "
                "use --num-processes N, or torchrun --nproc-per-node N -m restore.cli train …"
            )
        return accelerator

    def _decide(self, accelerator: Accelerator) -> RunSettings:
        """Settings with the precision decided, once and the same on every process, and with absolute paths."""
        precision = choose(self.settings.precision, accelerator.device) if accelerator.is_main_process else ""
        decided = {"precision": from_main(accelerator, precision)}
        return with_absolute_paths(self.settings.model_copy(update=decided))

    def _begin(self, settings: RunSettings) -> tuple[RunSettings, Beginning | None]:
        """Settings that name the very file that a run begins with, and that file; of one that goes on, none."""
        if not settings.init_from or self.resume:
            return settings, None
        beginning = read_beginning(settings.init_from, self._notice)
        if settings.init_sha256 not in (None, beginning.sha256):
            raise UsageError(
                f"{beginning.path} is not the file that these settings were made with: its hash is {beginning.sha256}, "
                f"not {settings.init_sha256}. Name that file by --init-from, or remove init_sha256 from the settings"
            )
        named = {"init_from": beginning.path.absolute(), "init_sha256": beginning.sha256}
        return settings.model_copy(update=named), beginning

    def _networks(self, accelerator: Accelerator, settings: RunSettings) -> Networks:
        raw = self.task.modules
        self.task.move((*raw.values(), *self.task.fixed.values()), accelerator.device)
        wrapped = {name: accelerator.prepare_model(module) for name, module in raw.items()}
        if settings.compile:
            wrapped = {
                name: module if name in self.task.eager else torch.compile(module) for name, module in wrapped.items()
            }
        return Networks(raw, wrapped)

    def _folder(self, accelerator: Accelerator, settings: RunSettings) -> RunFolder:
        path = None
        if accelerator.is_main_process:
            folder = RunFolder(self.resume) if self.resume else new_run_folder(settings, self.name)
            folder.create()
            write_config(folder, settings, self.name, shown(accelerator.device))
            path = folder.path
        return RunFolder(Path(from_main(accelerator, path)))

    def _checkpoint(
        self, phases: Sequence[Phase], data: Mapping[str, Any], networks: Networks, averages: Averages | None
    ) -> Checkpoint | None:
        if not self.resume:
            return None
        path, checkpoint = checkpoints.load_newest(RunFolder(self.resume).checkpoints, self._notice)
        try:
            check_plan(checkpoint, phases, self.settings.early_stopping, self._notice)
            check_pictures(checkpoint, data)
            snapshot.restore_modules(checkpoint, networks.raw, averages)
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                f"{path} was written by another version of restorekit and cannot be resumed with this one ({error})"
            ) from None
        return checkpoint

    def _notice(self, message: str) -> None:
        if is_main_process():
            self._emit(events.Warned(message))

    def _tracker(self, accelerator: Accelerator, folder: RunFolder, checkpoint: Checkpoint | None) -> Tracker | None:
        if not accelerator.is_main_process:
            return None
        if checkpoint is None:
            return Tracker(folder)
        step = checkpoint.state["progress"]["run_step"]
        return Tracker(folder, log_position=checkpoint.state["log"], purge_step=step + 1)

    def _emit(self, event: events.Event) -> None:
        for listener in self.listeners:
            listener(event)


def _started(parts: Parts, plan: Plan, checkpoint: Checkpoint | None, taken: str | None) -> events.RunStarted:
    return events.RunStarted(
        task=parts.name,
        folder=parts.folder.path,
        phases=[(phase.name, phase.epochs) for phase in parts.phases],
        steps_per_epoch=plan.steps,
        samples_per_epoch=plan.samples,
        train_pictures=len(parts.checked["train"]),
        validation_pictures=len(parts.checked["validation"]),
        parameters={name: sum(p.numel() for p in m.parameters()) for name, m in parts.networks.raw.items()},
        device=shown(parts.accelerator.device),
        precision=parts.settings.precision,
        processes=parts.accelerator.num_processes,
        resumed_at=checkpoint.state["progress"]["run_step"] if checkpoint else None,
        begins_with=taken,
        evaluate_every=parts.settings.evaluate_every,
        checkpoint_every=parts.settings.checkpoint_every,
        may_stop_early=parts.settings.early_stopping.patience is not None,
        recipe=parts.settings.recipe,
    )


def _use_deterministic_kernels(settings: RunSettings) -> None:
    if settings.deterministic:
        # cuBLAS reads it when it is used for the first time; without it torch refuses to multiply matrices on CUDA
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(settings.deterministic)
    torch.backends.cudnn.benchmark = not settings.deterministic


def _nobody_listens(event: events.Event) -> None:  # noqa: ARG001
    return
