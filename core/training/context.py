"""`RunContext`, the objects that the stages of a run share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accelerate import Accelerator

from restore.core.events import Event
from restore.core.metrics import EvaluationProtocol
from restore.core.runs.folder import RunFolder
from restore.core.runs.metric_logger import MetricLogger
from restore.core.settings import RunSettings
from restore.core.task import Task
from restore.core.training.networks import WrappedNetworks
from restore.core.training_step import Phase


@dataclass(frozen=True)
class RunContext:
    """Objects shared by the stages of a run; its counters are in `Progress`."""

    task: Task
    name: str
    """Full name of the task."""
    settings: RunSettings
    phases: Sequence[Phase]
    protocol: EvaluationProtocol
    """The metrics of the task's training protocol and those that the settings name."""
    folder: RunFolder
    accelerator: Accelerator
    networks: WrappedNetworks
    metric_logger: MetricLogger | None
    """None on every process but the main one."""
    emit: Callable[[Event], None]
    plugins: Mapping[str, str | None]
    """The requirement of every plugin that the run needs."""
    fingerprint: Mapping[str, Any]
    """Identifies the data of the run; see ``resume_checks.fingerprint``."""
