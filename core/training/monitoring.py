"""The metrics of a run: those of its task, those that its settings name, and the one that chooses the best weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from restore.core.errors import UsageError
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol, NamedMetric, add_metric
from restore.core.settings import RunSettings
from restore.core.task import Task
from restore.core.training_step import Phase

FindMetric = Callable[[str, Method], NamedMetric]
"""Finds the registered metric of a text ``NAME,setting=value`` for a method; raises UsageError."""


@dataclass(frozen=True)
class Monitoring:
    """What a run measures, and by what its phases choose their best weights."""

    protocol: EvaluationProtocol
    phases: Sequence[Phase]
    plugins: Mapping[str, str | None]
    """The requirement of every plugin whose metrics the settings name."""


def choose_metrics(
    task: Task, settings: RunSettings, phases: Sequence[Phase], find_metric: FindMetric | None
) -> Monitoring:
    """Add the metrics that the settings name to the training protocol of a task, and let phases monitor one.

    ``settings.monitor`` applies to the last phase and to those that monitor a metric already.

    Args:
        task: the task.
        settings: the settings of the run.
        phases: the phases of the task.
        find_metric: finds registered metrics; None: none can be found.

    Raises:
        UsageError: a name means no metric that fits the task; for ``monitor`` the message lists those of the task.
    """
    protocol, plugins = task.training_protocol, dict[str, str | None]()

    def add(text: str) -> str:
        nonlocal protocol
        if find_metric is None:
            raise UsageError(f"'{text}' is no metric of the run, and only restore train finds registered metrics")
        found = find_metric(text, task)
        plugins[found.plugin] = found.requirement
        protocol, key = add_metric(protocol, found)
        return key

    for text in settings.metric:
        try:
            add(text)
        except UsageError as error:
            raise UsageError(f"--metric {text}: {error}") from error
    monitor = settings.monitor
    if monitor is None:
        return Monitoring(protocol, phases, plugins)
    if monitor not in protocol:
        measured = ", ".join(protocol)
        try:
            monitor = add(monitor)
        except UsageError as error:
            raise UsageError(f"--monitor {monitor}: {error}\nThe run itself measures {measured}") from error
    last = len(phases) - 1
    chosen = [
        replace(phase, monitor=monitor) if index == last or phase.monitor is not None else phase
        for index, phase in enumerate(phases)
    ]
    return Monitoring(protocol, chosen, plugins)
