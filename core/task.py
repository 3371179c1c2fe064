"""What a family gives the engine: its networks, its data, one training step, how it is used and measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from restore.core.machine.devices import kernels_for_use
from restore.core.measuring import EvaluationProtocol
from restore.core.planes import Plane, Rendered, Tiling
from restore.core.settings import RunSettings, Settings
from restore.core.steps import Batch, Modules, Phase, Step, Turn

if TYPE_CHECKING:
    from restore.core.pictures.files import Picture


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


class Task(ABC):
    """A model family, as everything else sees it.

    A task is built from its settings alone, ``Family(settings)``, and holds no counters: whatever moves during a run
    belongs to the engine. ``options`` are the settings of ``restore predict`` or ``restore evaluate``.
    """

    settings_type: ClassVar[type[RunSettings]] = RunSettings
    """Settings of a training run; the ``settings=`` of the registration."""

    channels_last: ClassVar[bool] = False
    """Whether the networks are faster with the channels_last memory format."""

    eager: ClassVar[frozenset[str]] = frozenset()
    """Networks that ``--compile`` leaves alone, such as a critic whose gradient is itself differentiated."""

    renders: ClassVar[tuple[str, ...]] = ()
    """What a `render` of one's own always makes, by name: a file in its way is refused before the work is done."""

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
        networks = {name: module.eval().requires_grad_(False) for name, module in self.frozen().items()}
        self.move(networks.values(), self._device)
        return networks

    def move(self, modules: Iterable[nn.Module], device: torch.device | str) -> None:
        """Have networks on a device, in the memory format in which they are faster."""
        for module in modules:
            module.to(torch.device(device))
            if self.channels_last:
                module.to(memory_format=torch.channels_last)

    def move_fixed(self, device: torch.device | str) -> None:
        """Have the fixed networks on a device, those too that are built later."""
        self._device = torch.device(device)
        self.move(self.__dict__.get("fixed", {}).values(), self._device)

    @contextmanager
    def in_use(self, modules: Mapping[str, nn.Module], device: torch.device | str) -> Iterator[Modules]:
        """Have networks on a device and in evaluation mode for a while, and the fixed ones on the device besides.

        Meanwhile fp32 is not rounded, see `kernels_for_use`. Afterwards those networks are in training mode that were
        before; all of them stay on the device.
        """
        training = {name: module.training for name, module in modules.items()}
        self.move_fixed(device)
        self.move(modules.values(), device)
        try:
            with kernels_for_use():
                yield Modules({name: module.eval() for name, module in modules.items()})
        finally:
            for name, module in modules.items():
                module.train(training[name])

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
