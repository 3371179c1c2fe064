"""What is told about a run when it starts: to its listeners, and to its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restore.core import events
from restore.core.runs.changed_settings import describe_changed, describe_resumed
from restore.core.runs.folder import environment
from restore.core.runtime.devices import name_device
from restore.core.settings import RunSettings
from restore.core.training.context import RunContext
from restore.core.training.dataloading import PhaseData


def describe_run(context: RunContext, before: Mapping[str, Any] | None, given: RunSettings) -> dict[str, Any]:
    """Return what the history says about a run besides the event of its start.

    Args:
        context: the run.
        before: the settings of a resumed run so far, in the form of its config; None: a new run.
        given: the settings of a new run before values were filled in.
    """
    settings, protocol = context.settings, context.protocol
    if before is None:
        changed = describe_changed(settings, given)
    else:
        changed = describe_resumed(type(settings).model_validate(before), settings)
    return {
        "versions": environment(name_device(context.accelerator.device)),
        "changed": changed,
        "data": context.fingerprint["content"],
        "metrics": [
            {"name": metric.name, "convention": metric.convention, "better": metric.better}
            for metric in protocol.values()
        ],
        "monitors": {phase.name: list(protocol).index(phase.monitor) for phase in context.phases if phase.monitor},
    }


def run_started(context: RunContext, data: PhaseData, resumed_at: int | None, taken: str | None) -> events.RunStarted:
    """Return the first event of a run.

    Args:
        context: the run.
        data: the data of its first phase.
        resumed_at: the optimizer step at which a resumed run goes on.
        taken: what was loaded from trained weights.
    """
    return events.RunStarted(
        task=context.name,
        folder=context.folder.path,
        phases=[(phase.name, phase.epochs) for phase in context.phases],
        steps_per_epoch=data.plan.steps,
        samples_per_epoch=data.plan.samples,
        train_images=len(data.train),
        validation_images=len(data.validation),
        inputs=tuple(context.task.inputs),
        parameters={name: sum(p.numel() for p in m.parameters()) for name, m in context.networks.raw.items()},
        device=name_device(context.accelerator.device),
        precision=context.settings.precision,
        processes=context.accelerator.num_processes,
        resumed_at=resumed_at,
        begins_with=taken,
        evaluate_every=context.settings.evaluate_every,
        checkpoint_every=context.settings.checkpoint_every,
        may_stop_early=context.settings.early_stopping.patience is not None,
        recipe=context.settings.recipe,
    )
