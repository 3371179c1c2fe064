"""`Trainer`: set up a run, or resume one, and train its phases."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from restore.core import events
from restore.core.errors import Interrupted, NothingToTrain, UsageError
from restore.core.listeners import Listeners, PluginListener
from restore.core.method import Method
from restore.core.metrics import MetricResult
from restore.core.reports.listener import ReportWriter
from restore.core.runs import checkpoints
from restore.core.runs.checkpoints import Checkpoint
from restore.core.runs.experiment_trackers import ExperimentTracker, check_trackers
from restore.core.runs.folder import RunFolder, new_run_folder, read_config, write_config
from restore.core.runs.history import History
from restore.core.runs.lock import RunLock
from restore.core.runs.metric_logger import MetricLogger
from restore.core.runs.resuming import merge_settings
from restore.core.runs.summary import write_summary
from restore.core.runtime import processes
from restore.core.runtime.accelerator import from_main, make_accelerator
from restore.core.runtime.devices import name_device
from restore.core.runtime.precision import choose
from restore.core.runtime.processes import is_main_process
from restore.core.seeding import derive_seed, seed_everything
from restore.core.settings import RunSettings, make_paths_absolute
from restore.core.task import Task
from restore.core.training import checkpointing
from restore.core.training.context import RunContext
from restore.core.training.dataloading import PhaseData
from restore.core.training.loop import TrainingLoop
from restore.core.training.monitoring import FindMetric, choose_metrics
from restore.core.training.moved_data import check_moved, hash_data, require_data
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimizers import check_schedules
from restore.core.training.resume_checks import check_data, check_plan, fingerprint
from restore.core.training.run_start import describe_run, run_started
from restore.core.training.signals import StopSignals
from restore.core.training.warm_start import WarmStart, read_warm_start
from restore.core.training_step import Phase


@dataclass(frozen=True)
class RunResult:
    """Result of a run."""

    folder: Path
    weights: Path
    """Weights file with the best weights of the last phase."""
    numbers: Sequence[MetricResult]
    """Metrics of the baselines and of the best weights of each phase, on the validation images."""
    seconds: float


class Trainer:
    """Trains a task: ``Trainer(SRGAN, SRGANSettings(epochs=20), name="srgan/srgan").fit()``.

    Args:
        task_type: the class of the task.
        settings: settings of the run. Values that depend on the data or on this machine are filled in once.
        name: full name of the task, such as ``srgan/srgan``. Weights files store it and are opened by it.
        plugins: requirement of every plugin that the run needs, such as ``{"srgan": "restorekit==0.1.0"}``, or None for
            a local module; config and weights files store them.
        listeners: called with every event, on the main process only; one that fails is dropped with a warning.
        find_metric: finds the registered metrics that the settings name; None: only restore train can.
        resume: folder of a run to resume. The run keeps its settings, except resume-safe ones that are set in
            ``settings``. None: start a new run.

    Raises:
        NothingToTrain: ``task_type`` is a classical method.
    """

    def __init__(
        self,
        task_type: type[Method],
        settings: RunSettings,
        *,
        name: str,
        plugins: Mapping[str, str | None] | None = None,
        listeners: Sequence[events.Listener] = (),
        find_metric: FindMetric | None = None,
        resume: Path | None = None,
    ) -> None:
        if not issubclass(task_type, Task):
            raise NothingToTrain(name)
        self.task_type = task_type
        self.settings = settings
        self.name = name
        self.plugins = dict(plugins or {})
        self.listeners = listeners
        self._history = History()
        reports = [ReportWriter(samples=settings.sample_images > 0)] if settings.report else []
        self._emit = Listeners([self._history, *reports, *listeners])
        self.find_metric = find_metric
        self.resume = resume

    def fit(self) -> RunResult:
        """Train to the end.

        Raises:
            UsageError: the settings or the data are unusable, or a resumed run has other settings or data.
            DataError: an image is damaged.
            CheckpointError: the run to resume has no readable checkpoint.
            Interrupted: Ctrl-C or SIGTERM stopped the run; a checkpoint is saved.
            TrainingDiverged: too many consecutive steps had a non-finite loss or gradient.
        """
        with RunLock() as lock, self._history.record_log(), ExitStack() as opened:
            return self._train(lock, opened)

    def _train(self, lock: RunLock, opened: ExitStack) -> RunResult:
        if self.settings.deterministic:
            # cuBLAS reads it on first use; torch refuses deterministic matrix products on CUDA without it
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(self.settings.deterministic)
        torch.backends.cudnn.benchmark = not self.settings.deterministic
        accelerator = make_accelerator(self.settings)
        if self.resume and self.resume.is_dir() and accelerator.is_main_process:
            lock.acquire(self.resume)
        before = read_config(self.resume) if self.resume else None
        settings, warm_start = self._resolve(accelerator)
        self._check_listeners(settings)
        task = self.task_type(settings)
        phases = [phase for phase in task.phases() if phase.epochs > 0]
        if not phases:
            raise UsageError(f"{self.name}: every phase has 0 epochs, so nothing would be trained; raise --epochs")
        monitoring = choose_metrics(task, settings, phases, self.find_metric)
        phases = list(monitoring.phases)
        check_schedules(phases, settings, self._notice)

        # data and plan first, so that their errors are reported before anything is written
        seed_everything(derive_seed(settings.seed, "weights"))
        data = PhaseData.make(task, phases[0], settings, processes=accelerator.num_processes)
        networks = WrappedNetworks.build(task, accelerator, settings)
        taken = warm_start.load(networks.raw, settings.init_filter) if warm_start else None
        if networks.ema:
            networks.ema.restart(networks.raw)

        identity: dict[str, Any] = fingerprint(data)
        checkpoint = self._restore(settings, phases, identity, networks) if self.resume else None
        identity["content"] = hash_data(settings) if accelerator.is_main_process else {}
        folder, metric_logger = self._folder(accelerator, settings, monitoring.plugins, checkpoint, lock)
        if metric_logger:
            opened.callback(metric_logger.close)
        seed_everything(derive_seed(settings.seed, "steps", accelerator.process_index))
        trackers = [ExperimentTracker(name, settings) for name in dict.fromkeys(settings.track)]
        emit = self._emit.join(trackers) if accelerator.is_main_process else lambda _: None
        context = RunContext(
            task, self.name, settings, phases, monitoring.protocol, folder, accelerator, networks, metric_logger, emit,
            self.plugins, identity,
        )  # fmt: skip
        self._history.describe(describe_run(context, before, given=self.settings))
        resumed_at = checkpoint.state["progress"]["run_step"] if checkpoint else None
        emit(run_started(context, data, resumed_at, taken))
        stop = StopSignals()
        loop = TrainingLoop(context, data, stop, checkpoint)
        del data  # data of the first phase; the loop releases it when the next phase starts
        with _report_early_end(loop):
            try:
                with stop:
                    loop.run()
            finally:
                if metric_logger:
                    metric_logger.close()
            numbers = [MetricResult(**number) for group in loop.progress.numbers.values() for number in group]
            if accelerator.is_main_process:
                write_summary(folder, self.name, settings, name_device(accelerator.device), numbers, loop.seconds)
        emit(events.RunFinished(folder.path, folder.best, numbers, loop.seconds))
        return RunResult(folder.path, folder.best, numbers, loop.seconds)

    # --- setting up -------------------------------------------------------------------------------------------

    def _resolve(self, accelerator: Accelerator) -> tuple[RunSettings, WarmStart | None]:
        """Return the resolved settings, equal on every process, and the weights that a new run starts from."""
        if accelerator.num_processes == 1 and processes.is_launched_alone():
            self._notice(
                "accelerate launch started one process instead of several, as it does on CPUs; "
                "use --num-processes N, or torchrun --nproc-per-node N -m restore.cli train …"
            )
        if self.resume:
            settings = merge_settings(type(self.settings), self.resume, self.settings.model_dump(exclude_unset=True))
            require_data(settings)
        else:
            with accelerator.main_process_first():  # the main process may download weights for the others
                settings = self.settings.resolved()
        precision = choose(settings.precision, accelerator.device) if accelerator.is_main_process else ""
        settings = make_paths_absolute(settings.model_copy(update={"precision": from_main(accelerator, precision)}))
        if not settings.init_from or self.resume:
            return settings, None
        warm_start = read_warm_start(settings.init_from, self._notice)
        if settings.init_sha256 not in (None, warm_start.sha256):
            raise UsageError(
                f"--init-from {warm_start.path}: the file has the SHA-256 {warm_start.sha256}, but init_sha256 is "
                f"{settings.init_sha256}. Use the original file, or remove init_sha256 from the settings"
            )
        named = {"init_from": warm_start.path.absolute(), "init_sha256": warm_start.sha256}
        return settings.model_copy(update=named), warm_start

    def _check_listeners(self, settings: RunSettings) -> None:
        """Raise UsageError for trackers that there are not; warn of names that nobody has looked up."""
        check_trackers(settings.track)
        if settings.listener and not any(isinstance(listener, PluginListener) for listener in self.listeners):
            self._notice(
                f"the listeners {', '.join(settings.listener)} of the settings are not told anything: only restore "
                "train finds listeners by name; give Trainer the objects"
            )

    def _restore(
        self, settings: RunSettings, phases: Sequence[Phase], identity: Mapping[str, Any], networks: WrappedNetworks
    ) -> Checkpoint:
        """Return the newest checkpoint of the resumed run after checking it against the plan; load its weights."""
        assert self.resume is not None
        path, checkpoint = checkpoints.load_newest(RunFolder(self.resume).checkpoints, self._notice)
        with checkpointing.report_misfit(path):
            check_plan(checkpoint, phases, settings.early_stopping, self._notice)
            check_data(checkpoint, identity)
            check_moved(self.resume, settings, checkpoint.state["data"].get("content", {}), read_config(self.resume))
            checkpointing.restore_networks(checkpoint, networks)
        return checkpoint

    def _folder(
        self,
        accelerator: Accelerator,
        settings: RunSettings,
        measuring: Mapping[str, str | None],
        checkpoint: Checkpoint | None,
        lock: RunLock,
    ) -> tuple[RunFolder, MetricLogger | None]:
        """Return the run folder, equal on every process, and a logger on the main process; write the config."""
        if not accelerator.is_main_process:
            return RunFolder(Path(from_main(accelerator, None))), None
        folder = RunFolder(self.resume) if self.resume else new_run_folder(settings, self.name, lock, self._notice)
        folder.create()
        lock.acquire(folder.path)
        listening = {each.plugin: each.requirement for each in self.listeners if isinstance(each, PluginListener)}
        device = name_device(accelerator.device)
        write_config(folder, settings, self.name, device, {**self.plugins, **measuring, **listening})
        from_main(accelerator, folder.path)
        if checkpoint is None:
            return folder, MetricLogger(folder)
        return folder, MetricLogger(folder, log_position=checkpoint.state["log"])

    def _notice(self, message: str) -> None:
        if is_main_process():
            self._emit(events.Warned(message))


@contextmanager
def _report_early_end(loop: TrainingLoop) -> Iterator[None]:
    """Tell the listeners if the run ends before it is finished."""
    emit, folder = loop.context.emit, loop.context.folder.path
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as end:
        saved = isinstance(end, Interrupted)
        emit(events.RunInterrupted(folder, loop.progress.run_step, loop.seconds, saved))
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        emit(events.RunFailed(folder, loop.progress.run_step, loop.seconds, told))
        raise
