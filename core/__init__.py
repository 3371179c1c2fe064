"""The protocols and the engine: what a family is, and what trains, keeps and uses it.

Names are imported on first use, so that ``import restore.core`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "CheckpointError": "errors",
    "DataError": "errors",
    "Interrupted": "errors",
    "RestoreError": "errors",
    "ResumeError": "errors",
    "UsageError": "errors",
    "WeightsError": "errors",
    "EvaluationProtocol": "measuring",
    "Metric": "measuring",
    "Number": "measuring",
    "Changeable": "settings",
    "Flag": "settings",
    "OptimizerSettings": "settings",
    "RunSettings": "settings",
    "ScheduleSettings": "settings",
    "Settings": "settings",
    "Batch": "task",
    "Loss": "task",
    "Modules": "task",
    "Phase": "task",
    "Pictures": "task",
    "Plane": "task",
    "Step": "task",
    "Task": "task",
    "Terms": "task",
    "Tiling": "task",
    "Turn": "task",
    "RunResult": "trainer",
    "Trainer": "trainer",
    "open_weights": "weights",
    "save_weights": "weights",
    "read_header": "weights_header",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
