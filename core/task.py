"""`Task`: a method with trainable networks, data, phases and a training step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import nn
from typing_extensions import TypeVar, override

from restore.core.dataset import AnyDataset, Batch
from restore.core.method import E, Method, P
from restore.core.metrics import EvaluationProtocol
from restore.core.settings import RunSettings
from restore.core.training_step import Phase, TrainStep

R = TypeVar("R", bound=RunSettings, default=Any)

Split = Literal["train", "validation"]


class Task(Method[R, P, E]):
    """A trainable method; every model family implements one: ``class SRGAN(Task[SRGANSettings])``.

    A task must define `networks`, `phases`, `dataset`, `train_step`, `predict` and `protocols`. It holds no counters
    and no networks: the engine owns all state that changes during a run.
    """

    settings_type: ClassVar[type[RunSettings]] = RunSettings
    """The first type parameter: the settings of a training run."""

    no_compile: ClassVar[frozenset[str]] = frozenset()
    """Names of networks that ``--compile`` skips, such as a discriminator under a gradient penalty."""

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run that passes through every phase within seconds on the CPU; tests train with them.

        ``changes`` has the form of a settings file. A family with large networks overrides this method and chooses
        small ones: ``return super().tiny_settings(**{"model": {"width": 4}, "crop_size": 16, **changes})``.
        """
        small = {"epochs": 2, "batch_size": 2, "samples_per_epoch": 4, "sample_images": 1, "workers": 0}
        return cls.settings_type.model_validate({**small, "device": "cpu", "precision": "fp32", **changes})

    # --- networks ---------------------------------------------------------------------------------------------

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Build the networks that prediction needs. A weights file stores exactly these."""

    def training_networks(self) -> dict[str, nn.Module]:
        """Build the trained networks that prediction does not need, such as a discriminator."""
        return {}

    def frozen_networks(self) -> dict[str, nn.Module]:
        """Build the fixed networks of the losses, such as a feature extractor. They are never trained or saved.

        Loss functions reach them like all other networks: ``nets.features``.
        """
        return {}

    # --- training ---------------------------------------------------------------------------------------------

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """Return the phases of a run, in order. The engine skips phases with zero epochs."""

    @abstractmethod
    def dataset(self, split: Split, phase: Phase) -> AnyDataset:
        """Return the dataset of a split for a phase: any map-style dataset of torch."""

    @abstractmethod
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one training step on one micro-batch: call ``step.optimize`` once for each optimizer that steps.

        The engine does the rest: devices, autocast, gradient accumulation, scaling and clipping, schedules, averaging
        over processes, EMA. Rules of a loss function, which the contract tests check:

        - Only *call* the networks that the loss function receives: ``nets.generator(x)``. Reading an attribute or
          calling a submodule bypasses the distributed wrapper; gradients are then not averaged over processes.
        - Call each network that the optimizer trains at most once: concatenate inputs. Two forward passes before one
          backward pass fail on several GPUs.
        - The loss must depend on every trainable parameter of these networks. Otherwise processes wait for each other
          forever.
        - The networks of other optimizers are frozen. Call them under ``torch.no_grad()`` if the loss needs no
          gradient through them.
        - Draw random numbers from torch's global generators. A resumed run then draws the same numbers.

        Args:
            batch: tensors of one micro-batch on the device, keyed like the samples.
            step: position in the run, with ``optimize`` and ``log``.
        """

    def health(self, numbers: Mapping[str, float]) -> str | None:
        """Return a warning for the user if the newest numbers show that training goes wrong, else None.

        The engine calls it at each log line and after each evaluation, and prints each line of the warning once. Any
        key of ``numbers`` may be missing:

        - ``generator/l1``: a loss term of the last log line.
        - ``generator/gradient``, ``generator/lr``: gradient norm before clipping and learning rate of an optimizer.
        - ``validation/<metric>``: last evaluation of the phase, by the metric's key in the protocol.
        - ``baseline/<name>/<metric>``: the task's baselines on the same images.
        - ``progress``: fraction of the phase that is done, in [0, 1].
        """
        return None

    # --- measuring --------------------------------------------------------------------------------------------

    @property
    def training_protocol(self) -> EvaluationProtocol:
        """The protocol that validation uses during training, for the run and for its baselines."""
        return self.protocols()[self.default_protocol]

    @override
    def evaluation_data(self, folder: Path | None) -> AnyDataset:
        """Return the validation data of a run on ``folder`` alone, or without a folder, those of this run."""
        if folder is None:
            return self.dataset("validation", self.phases()[-1])
        task = type(self)(self.settings.model_copy(update={"data": folder, "val_data": folder}))
        task = task.with_options(predict=self.predict_options, evaluate=self.evaluate_options)
        return task.dataset("validation", task.phases()[-1])

    def baselines(self) -> Mapping[str, Method]:
        """Return the classical methods to compare a run with; they are measured once on the validation images."""
        return {}
