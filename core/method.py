"""What can be used and measured: a model family, or a classical method that has nothing to learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, get_args, get_origin

from torch import Tensor, nn
from typing_extensions import TypeVar

from restore.core.dataset import AnyDataset, Batch
from restore.core.images.files import ImageFile, OutputImage
from restore.core.inference.engine import predict_bounded
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import Settings
from restore.core.specs import ImageSpec, Tiling

S = TypeVar("S", bound=Settings, default=Any)
P = TypeVar("P", bound=Settings, default=Any)
E = TypeVar("E", bound=Settings, default=Any)


class Method(ABC, Generic[S, P, E]):
    """Something that makes images from images and can be measured.

    The type parameters are its settings, and the options of ``restore predict`` and of ``restore evaluate``; leave out
    those that it has not: ``class Bicubic(Method[UpscaleSettings])``. A method that learns is a `Task`.

    A method is built from its settings alone and holds no networks: the engine passes them to what needs them.

    Args:
        settings: what the method is a function of.
    """

    settings_type: ClassVar[type[Settings]] = Settings
    """The first type parameter."""
    predict_options_type: ClassVar[type[Settings]] = Settings
    """The second type parameter."""
    evaluate_options_type: ClassVar[type[Settings]] = Settings
    """The third type parameter."""

    channels_last: ClassVar[bool] = False
    """Whether the networks are faster with the channels_last memory format."""

    always_renders: ClassVar[tuple[str, ...]] = ("",)
    """Names that every result of `render` has: files in their way are refused before the work is done."""

    _roles: ClassVar[tuple[str, ...]] = ("settings_type", "predict_options_type", "evaluate_options_type")
    """What each type parameter sets."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        roles: dict[Any, str] = {}
        for base in cls.__dict__.get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Method):
                roles |= dict(zip(get_args(base), origin._roles, strict=False))
        for argument, role in roles.items():
            given = argument if isinstance(argument, type) else argument.__default__
            if isinstance(given, type) and issubclass(given, Settings):
                setattr(cls, role, given)
        cls._roles = tuple(roles.get(parameter, "") for parameter in cls.__parameters__)  # type: ignore[attr-defined]

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.predict_options: P = self.predict_options_type()  # type: ignore[assignment]  # what P is bound to
        self.evaluate_options: E = self.evaluate_options_type()  # type: ignore[assignment]

    def with_options(self, *, predict: P | None = None, evaluate: E | None = None) -> Self:
        """Return the same method with other options.

        Args:
            predict: options of ``restore predict``; unset: those of this method.
            evaluate: options of ``restore evaluate``; unset: those of this method.
        """
        other = type(self)(self.settings)
        other.predict_options = self.predict_options if predict is None else predict
        other.evaluate_options = self.evaluate_options if evaluate is None else evaluate
        return other

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        """What a prediction is made from."""
        return {"input": ImageSpec()}

    @property
    def main_input(self) -> str:
        """Name of the input that is the image itself; the scales of all others are relative to it."""
        return "input"

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """What a prediction consists of."""
        return {"output": ImageSpec()}

    @property
    def main_output(self) -> str:
        """Name of the output that is written and measured unless the method says otherwise."""
        return "output"

    @property
    def tiling(self) -> Tiling:
        """Whether and how large images may be cut into tiles."""
        return Tiling()

    def helper_networks(self) -> dict[str, nn.Module]:
        """Build further networks that `predict` or `measure` uses under these options, such as those of an ensemble.

        They are frozen, not in the weights file, and among the networks that both methods get.
        """
        return {}

    @abstractmethod
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Outputs by name for inputs by name; the networks are in evaluation mode and no gradient is kept."""

    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """Input tensors (C, H, W) for one image file; a method with a second input finds it here."""
        spec = self.inputs[self.main_input]
        return {self.main_input: spec.low + image.color * (spec.high - spec.low)}

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | OutputImage]:
        """Images (C, H, W) in [0, 1] to write: ``""`` as ``<stem>.png``, any other name as ``<stem>-<name>.png``.

        A plain tensor takes over bits, alpha and color profile of the input; ``OutputImage`` says what else is meant.
        """
        spec = self.outputs[self.main_output]
        return {"": (outputs[self.main_output] - spec.low) / (spec.high - spec.low)}

    # --- measuring --------------------------------------------------------------------------------------------

    @abstractmethod
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Ways of measuring, by name; none for a method whose results have no right answer."""

    @property
    def default_protocol(self) -> str:
        """Name of the protocol that is used where none is asked for; override it where there are several."""
        (only,) = self.protocols()
        return only

    @abstractmethod
    def evaluation_data(self, folder: Path | None) -> AnyDataset:
        """Images to measure on: those of a folder, or without one those of the embedded sample."""

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Statistics of each sample, one row a sample, for every metric of the protocol."""
        prediction = predict_bounded(self, batch, networks)[self.main_output]
        return {name: metric.measure(prediction, batch["target"]) for name, metric in protocol.metrics.items()}

    def sample_row(self, batch: Batch, networks: Networks) -> list[Tensor]:
        """Images (C, H, W) in [0, 1] that show what the networks do with one sample: input, output, target."""
        output = predict_bounded(self, batch, networks)[self.main_output]
        shown = [batch[self.main_input], output, *([batch["target"]] if "target" in batch else [])]
        return [image[0].clamp(0, 1) for image in shown]
