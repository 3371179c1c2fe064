"""The protocols and the engine: what a family is, and what trains, keeps and uses it.

Names are imported on first use, so that ``import restore.core`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers see of the table below
    from restore.core.errors import CheckpointError as CheckpointError
    from restore.core.errors import DataError as DataError
    from restore.core.errors import Interrupted as Interrupted
    from restore.core.errors import RestoreError as RestoreError
    from restore.core.errors import ResumeError as ResumeError
    from restore.core.errors import UsageError as UsageError
    from restore.core.errors import WeightsError as WeightsError
    from restore.core.evaluation import evaluate as evaluate
    from restore.core.inference.engine import predict_picture as predict_picture
    from restore.core.measuring import EvaluationProtocol as EvaluationProtocol
    from restore.core.measuring import Metric as Metric
    from restore.core.measuring import Number as Number
    from restore.core.pictures.files import read_picture as read_picture
    from restore.core.pictures.files import write_picture as write_picture
    from restore.core.planes import Plane as Plane
    from restore.core.planes import Rendered as Rendered
    from restore.core.planes import Tiling as Tiling
    from restore.core.settings import Changeable as Changeable
    from restore.core.settings import Flag as Flag
    from restore.core.settings import OptimizerSettings as OptimizerSettings
    from restore.core.settings import Positional as Positional
    from restore.core.settings import RunSettings as RunSettings
    from restore.core.settings import ScheduleSettings as ScheduleSettings
    from restore.core.settings import Settings as Settings
    from restore.core.steps import Batch as Batch
    from restore.core.steps import Loss as Loss
    from restore.core.steps import Modules as Modules
    from restore.core.steps import Phase as Phase
    from restore.core.steps import Step as Step
    from restore.core.steps import Terms as Terms
    from restore.core.steps import Turn as Turn
    from restore.core.task import Pictures as Pictures
    from restore.core.task import Task as Task
    from restore.core.training.trainer import RunResult as RunResult
    from restore.core.training.trainer import Trainer as Trainer
    from restore.core.weights.files import open_weights as open_weights
    from restore.core.weights.files import save_weights as save_weights
    from restore.core.weights.header import read_header as read_header

_HOME = {
    "CheckpointError": "errors",
    "DataError": "errors",
    "Interrupted": "errors",
    "RestoreError": "errors",
    "ResumeError": "errors",
    "UsageError": "errors",
    "WeightsError": "errors",
    "evaluate": "evaluation",
    "predict_picture": "inference.engine",
    "EvaluationProtocol": "measuring",
    "Metric": "measuring",
    "Number": "measuring",
    "read_picture": "pictures.files",
    "write_picture": "pictures.files",
    "Plane": "planes",
    "Rendered": "planes",
    "Tiling": "planes",
    "Changeable": "settings",
    "Flag": "settings",
    "OptimizerSettings": "settings",
    "Positional": "settings",
    "RunSettings": "settings",
    "ScheduleSettings": "settings",
    "Settings": "settings",
    "Batch": "steps",
    "Loss": "steps",
    "Modules": "steps",
    "Phase": "steps",
    "Step": "steps",
    "Terms": "steps",
    "Turn": "steps",
    "Pictures": "task",
    "Task": "task",
    "RunResult": "training.trainer",
    "Trainer": "training.trainer",
    "open_weights": "weights.files",
    "save_weights": "weights.files",
    "read_header": "weights.header",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
