"""The protocols: what a family gives the engine, and what the engine gives a family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from restore.core.measuring import EvaluationProtocol
from restore.core.settings import OptimizerSettings, RunSettings, Settings

if TYPE_CHECKING:
    from restore.core.pictures.files import Picture

Batch = dict[str, Tensor]
"""Named tensors with a batch axis first."""

Terms = Mapping[str, Tensor]
"""Named scalar loss terms; their sum is back-propagated and each is logged."""


class Loss(Protocol):
    """Named terms of one loss."""

    def __call__(self, prediction: Any, batch: Batch) -> Terms:
        """Scalar terms for a prediction and the batch that it was made from."""
        ...


class Modules(Mapping[str, nn.Module]):
    """Networks by name, as items or as attributes: ``modules.generator(x)``."""

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._modules = dict(modules)

    def __getitem__(self, name: str) -> nn.Module:
        return self._modules[name]

    def __getattr__(self, name: str) -> nn.Module:
        try:
            return self.__dict__["_modules"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no network {name!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class Turn(Protocol):
    """One optimizer's share of a training step.

    ``turn("generator", closure)`` calls ``closure(modules)`` with that optimizer's networks trainable and every other
    one frozen, back-propagates the sum of the returned terms and steps. A closure reaches its networks only by calling
    them: an attribute or a part of a network that is spread over processes would skip the gradient's averaging.
    """

    def __call__(self, name: str, closure: Callable[[Modules], Terms]) -> None:
        """Run one turn of the optimizer called ``name``."""
        ...

    def log(self, **numbers: Tensor | float) -> None:
        """Record numbers that are no loss, such as the mean score of real pictures."""
        ...


@dataclass(frozen=True)
class Step:
    """Where in the run a training step stands."""

    phase: str
    epoch: int
    """Epoch of the run, from 0."""
    run_step: int
    """Optimizer steps done since the run began."""
    phase_step: int
    """Optimizer steps done since the phase began."""
    share: float
    """Share of the phase that is done, in [0, 1)."""


@dataclass(frozen=True)
class Phase:
    """A stretch of a run with its own optimizers, schedules and best weights."""

    name: str
    epochs: int
    optimizers: Mapping[str, OptimizerSettings]
    """By name; an optimizer owns the network of its name unless ``owns`` says otherwise."""
    owns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Optimizer name to the names of the networks that it trains."""
    start: Literal["best", "last"] = "best"
    """Which weights of the phase before this one starts from."""
    monitor: str | None = None
    """Metric by which the phase's best weights are chosen; none: its last weights are its best."""

    def owned_by(self, optimizer: str) -> tuple[str, ...]:
        """Names of the networks that one optimizer trains."""
        return self.owns.get(optimizer, (optimizer,))


@runtime_checkable
class Pictures(Protocol):
    """A data set: samples drawn by torch's global chance, so that the engine can seed each of them."""

    def __len__(self) -> int:
        """How many pictures there are."""
        ...

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One sample without a batch axis; chance comes from torch's global generator alone."""
        ...

    def name(self, index: int) -> str:
        """What to call a picture in a report."""
        ...


@dataclass(frozen=True)
class Plane:
    """One named picture that goes into or comes out of a network."""

    channels: int = 3
    low: float = 0.0
    """Value of black."""
    high: float = 1.0
    """Value of white."""
    scale: float = 1.0
    """Height and width relative to the first input."""
    padding: Literal["reflect", "edge", "zero"] = "reflect"
    """How the picture is continued where a network needs more than there is."""
    smooth: bool = True
    """Whether values between two pixels mean something; masks and class numbers are not smooth."""


@dataclass(frozen=True)
class Tiling:
    """How a network may be run on parts of a picture."""

    mode: Literal["exact", "blend", "whole"] = "blend"
    """exact: with ``halo`` pixels around it a tile equals the same part of the whole; blend: overlapping tiles are
    cross-faded; whole: the network must see the whole picture."""
    halo: int = 16
    """Input pixels that a tile needs on each side beyond its own."""
    multiple_of: int = 1
    """Input height and width must be multiples of this; the engine pads and crops."""


@dataclass(frozen=True)
class Rendered:
    """A picture to write that takes over from the input only what it has in common with it, as a mask does."""

    picture: Tensor
    """(C, H, W) in [0, 1]."""
    depth: bool = True
    """16 bits a channel where the input has them; else always 8."""
    alpha: bool = True
    """The input's alpha channel, unless the picture has one."""
    profile: bool = True
    """The input's colour profile."""

    def taken_from(self, like: Picture | None) -> Picture | None:
        """The input without what is not taken over from it."""
        if like is None:
            return None
        return replace(
            like,
            bits=like.bits if self.depth else 8,
            alpha=like.alpha if self.alpha else None,
            icc=like.icc if self.profile else None,
        )


class Task(ABC):
    """A model family: its networks, its data, one training step, how it is used and measured.

    A task is built from its settings alone, ``Family(settings)``, and holds no counters: whatever moves during a run
    belongs to the engine. ``options`` are the settings of ``restore predict`` or ``restore evaluate``.
    """

    settings_type: ClassVar[type[RunSettings]] = RunSettings
    """Settings of a training run; the ``settings=`` of the registration."""

    channels_last: ClassVar[bool] = False
    """Whether the networks are faster with the channels_last memory format."""

    eager: ClassVar[frozenset[str]] = frozenset()
    """Networks that ``--compile`` leaves alone, such as a critic whose gradient is itself differentiated."""

    _device = torch.device("cpu")

    def __init__(self, settings: RunSettings, options: Settings | None = None) -> None:
        self.settings = settings
        self.options = options

    @classmethod
    def miniature(cls, **changes: Any) -> RunSettings:
        """Settings of a run of seconds that goes through every phase on the CPU; what tests of a family train.

        ``changes`` are settings as a file has them. A family whose networks are large overrides this and names small
        ones: ``return super().miniature(**{"model": {"width": 4}, "crop": 16, **changes})``.
        """
        small = {"epochs": 2, "batch_size": 2, "samples_per_epoch": 4, "sample_pictures": 1, "workers": 0}
        return cls.settings_type.model_validate({**small, "device": "cpu", "precision": "fp32", **changes})

    # --- networks ---------------------------------------------------------------------------------------------

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Build the networks that prediction needs; a weights file holds exactly these."""

    def critics(self) -> dict[str, nn.Module]:
        """Build the networks that only training needs, such as a discriminator."""
        return {}

    def frozen(self) -> dict[str, nn.Module]:
        """Build the networks that are never trained and never saved, such as a feature extractor of a loss."""
        return {}

    @cached_property
    def exported(self) -> dict[str, nn.Module]:
        """The networks that prediction needs, built once."""
        return self.networks()

    @cached_property
    def modules(self) -> dict[str, nn.Module]:
        """Every network that is trained, in one fixed order whatever the phase."""
        return {**self.exported, **self.critics()}

    @cached_property
    def fixed(self) -> dict[str, nn.Module]:
        """Every network that is only used, frozen and on the device that the engine computes on; built on first use."""
        return {name: module.eval().requires_grad_(False).to(self._device) for name, module in self.frozen().items()}

    def move_fixed(self, device: torch.device | str) -> None:
        """Have the fixed networks on a device, those too that are built later."""
        self._device = torch.device(device)
        for module in self.__dict__.get("fixed", {}).values():
            module.to(self._device)

    # --- training ---------------------------------------------------------------------------------------------

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The phases of a run, in order; none for a method that has nothing to learn."""

    @abstractmethod
    def data(self, split: Literal["train", "validation"], phase: Phase) -> Pictures:
        """The pictures of one split for one phase."""

    @abstractmethod
    def train_step(self, batch: Batch, turn: Turn, step: Step) -> None:
        """One step on one micro-batch: one call of ``turn`` for each optimizer that is to move."""

    def health(self, numbers: Mapping[str, float]) -> str | None:
        """What to tell a person about the newest numbers, if they show that training goes wrong.

        Asked at each log line and after each evaluation. ``numbers`` are those of the last log line, by their names in
        the log, as ``generator/l1`` for a loss, ``generator/gradient`` for the norm of an optimizer's gradient before
        it is clipped, ``generator/lr``; as ``validation/<metric>``, by its key in the protocol, those of the last
        evaluation of the phase; and with these, as ``baseline/<name>/<metric>``, those of the task's baselines on the
        same pictures. Any of them may be missing. ``share`` is how much of the phase is done, in [0, 1]. Of several
        lines each is told once.
        """
        return None

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> Mapping[str, Plane]:
        """What a prediction is made from; the first one is the picture."""
        return {"input": Plane()}

    @property
    def outputs(self) -> Mapping[str, Plane]:
        """What a prediction consists of."""
        return {"output": Plane()}

    @property
    def tiling(self) -> Tiling:
        """Whether and how large pictures may be cut."""
        return Tiling()

    @abstractmethod
    def predict(self, batch: Batch, modules: Modules) -> Batch:
        """Outputs by name for inputs by name; the networks are in evaluation mode and no gradient is kept."""

    def read_inputs(self, path: Path, picture: Picture) -> dict[str, Tensor]:
        """Input planes (C, H, W) for one picture file; a family with a second input finds it here."""
        name, plane = next(iter(self.inputs.items()))
        return {name: plane.low + picture.colour * (plane.high - plane.low)}

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | Rendered]:
        """Pictures (C, H, W) in [0, 1] to write: ``""`` as ``<stem>.png``, any other name as ``<stem>-<name>.png``.

        A plain tensor takes over bits, alpha and colour profile of the input; ``Rendered`` says what else is meant.
        """
        name, plane = next(iter(self.outputs.items()))
        return {"": (outputs[name] - plane.low) / (plane.high - plane.low)}

    # --- measuring --------------------------------------------------------------------------------------------

    @abstractmethod
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Ways of measuring by name; the first one is used while training."""

    def evaluation_data(self, folder: Path | None) -> Pictures:
        """Pictures to measure on; without a folder those that a run validates on."""
        return self.data("validation", self.phases()[-1])

    def measure(self, batch: Batch, modules: Modules, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Statistics of each sample, one row a sample, for every metric of the protocol."""
        from restore.core.inference.engine import predict_bounded  # which is written in terms of tasks

        prediction = predict_bounded(self, batch, modules)[next(iter(self.outputs))]
        return {name: metric.measure(prediction, batch["target"]) for name, metric in protocol.metrics.items()}

    def baselines(self) -> Mapping[str, Task]:
        """Methods without weights that a run is compared with; measured once on the validation pictures."""
        return {}

    def sample_row(self, batch: Batch, modules: Modules) -> list[Tensor]:
        """Pictures (C, H, W) in [0, 1] that show what the networks do with one sample: input, output, target."""
        from restore.core.inference.engine import predict_bounded

        output = predict_bounded(self, batch, modules)[next(iter(self.outputs))]
        shown = [batch[next(iter(self.inputs))], output, *([batch["target"]] if "target" in batch else [])]
        return [picture[0].clamp(0, 1) for picture in shown]
