"""What learns: a method with networks, data, phases and one training step."""

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
    """A method that learns; what a model family implements: ``class SRGAN(Task[SRGANSettings])``.

    Six methods have to be there: `networks`, `phases`, `dataset`, `train_step`, `predict` and `protocols`. A task holds
    no counters and no networks: whatever moves during a run belongs to the engine.
    """

    settings_type: ClassVar[type[RunSettings]] = RunSettings
    """The first type parameter: the settings of a training run."""

    no_compile: ClassVar[frozenset[str]] = frozenset()
    """Networks that ``--compile`` leaves alone, such as a discriminator whose gradient is differentiated again."""

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Settings of a run of seconds that goes through every phase on the CPU; what tests of a family train.

        ``changes`` are settings as a file has them. A family whose networks are large overrides this and names small
        ones: ``return super().tiny_settings(**{"model": {"width": 4}, "crop_size": 16, **changes})``.
        """
        small = {"epochs": 2, "batch_size": 2, "samples_per_epoch": 4, "sample_images": 1, "workers": 0}
        return cls.settings_type.model_validate({**small, "device": "cpu", "precision": "fp32", **changes})

    # --- networks ---------------------------------------------------------------------------------------------

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Build the networks that prediction needs; a weights file holds exactly these."""

    def training_networks(self) -> dict[str, nn.Module]:
        """Build the networks that are trained and that only training needs, such as a discriminator."""
        return {}

    def frozen_networks(self) -> dict[str, nn.Module]:
        """Build the networks of the losses, which are never trained and never saved, such as a feature extractor.

        Loss functions find them beside the others, as ``nets.features``.
        """
        return {}

    # --- training ---------------------------------------------------------------------------------------------

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The phases of a run, in order; those of no epochs are left out."""

    @abstractmethod
    def dataset(self, split: Split, phase: Phase) -> AnyDataset:
        """The data of one split for one phase; any map-style dataset of torch will do."""

    @abstractmethod
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one training step on one micro-batch: call ``step.optimize`` once for each optimizer that is to move.

        The engine does everything else: devices, autocast, accumulation, gradient scaling and clipping, schedules,
        averaging over processes, moving averages. What it relies on, and the contract checks:

        - A loss function only *calls* the networks that it is given, ``nets.generator(x)``. Reading an attribute or
          calling a part of a network bypasses its wrapper, and its gradient is not averaged over processes.
        - It calls each network that its optimizer trains at most once: concatenate inputs. Two forward passes before
          one backward pass fail on several GPUs.
        - Its loss depends on every trainable parameter of these networks: a process would wait for the others forever.
        - The networks of other optimizers are frozen meanwhile; call them under ``torch.no_grad()`` where the loss
          needs no gradient through them.
        - Random numbers come from torch's global generators, so that a resumed run draws the same ones.

        Args:
            batch: tensors of one micro-batch on the device, by the names that samples have.
            step: where the run is, ``optimize`` and ``log``.
        """

    def health(self, numbers: Mapping[str, float]) -> str | None:
        """What to tell a person about the newest numbers, if they show that training goes wrong.

        Asked at each log line and after each evaluation. ``numbers`` are those of the last log line, by their names in
        the log, as ``generator/l1`` for a loss, ``generator/gradient`` for the norm of an optimizer's gradient before
        it is clipped, ``generator/lr``; as ``validation/<metric>``, by its key in the protocol, those of the last
        evaluation of the phase; and with these, as ``baseline/<name>/<metric>``, those of the task's baselines on the
        same images. Any of them may be missing. ``progress`` is how much of the phase is done, in [0, 1]. Of several
        lines each is told once.
        """
        return None

    # --- measuring --------------------------------------------------------------------------------------------

    @property
    def training_protocol(self) -> EvaluationProtocol:
        """The protocol that a run is measured by after its epochs, and its baselines with it."""
        return self.protocols()[self.default_protocol]

    @override
    def evaluation_data(self, folder: Path | None) -> AnyDataset:
        return self.dataset("validation", self.phases()[-1])

    def baselines(self) -> Mapping[str, Method]:
        """Classical methods that a run is compared with; measured once on the validation images."""
        return {}
