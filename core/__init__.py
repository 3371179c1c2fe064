"""The protocols and the engine: what a family is, and what trains, keeps and uses it.

Names are imported on first use, so that ``import restore.core`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers see of the table below
    from restore.core.dataset import Batch as Batch
    from restore.core.dataset import Pictures as Pictures
    from restore.core.dataset import as_dataset as as_dataset
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
    from restore.core.method import Method as Method
    from restore.core.networks import Networks as Networks
    from restore.core.pictures.files import Rendered as Rendered
    from restore.core.pictures.files import read_picture as read_picture
    from restore.core.pictures.files import write_picture as write_picture
    from restore.core.planes import Plane as Plane
    from restore.core.planes import Tiling as Tiling
    from restore.core.settings import Changeable as Changeable
    from restore.core.settings import Flag as Flag
    from restore.core.settings import OptimizerSettings as OptimizerSettings
    from restore.core.settings import Positional as Positional
    from restore.core.settings import RunSettings as RunSettings
    from restore.core.settings import ScheduleSettings as ScheduleSettings
    from restore.core.settings import Settings as Settings
    from restore.core.task import Task as Task
    from restore.core.training.trainer import RunResult as RunResult
    from restore.core.training.trainer import Trainer as Trainer
    from restore.core.training_step import Loss as Loss
    from restore.core.training_step import Phase as Phase
    from restore.core.training_step import Terms as Terms
    from restore.core.training_step import TrainStep as TrainStep
    from restore.core.weights.files import open_method as open_method
    from restore.core.weights.files import open_weights as open_weights
    from restore.core.weights.files import save_weights as save_weights
    from restore.core.weights.header import read_header as read_header

_HOME = {
    "Batch": "dataset",
    "Pictures": "dataset",
    "as_dataset": "dataset",
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
    "Method": "method",
    "Networks": "networks",
    "Rendered": "pictures.files",
    "read_picture": "pictures.files",
    "write_picture": "pictures.files",
    "Plane": "planes",
    "Tiling": "planes",
    "Changeable": "settings",
    "Flag": "settings",
    "OptimizerSettings": "settings",
    "Positional": "settings",
    "RunSettings": "settings",
    "ScheduleSettings": "settings",
    "Settings": "settings",
    "Task": "task",
    "RunResult": "training.trainer",
    "Trainer": "training.trainer",
    "Loss": "training_step",
    "Phase": "training_step",
    "Terms": "training_step",
    "TrainStep": "training_step",
    "open_method": "weights.files",
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
