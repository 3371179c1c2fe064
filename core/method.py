"""`Method`: anything that can predict and be measured, learned or classical."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, get_args, get_origin

from torch import Tensor, nn
from typing_extensions import TypeVar

from restore.core.dataset import AnyDataset, Batch
from restore.core.images.files import ImageFile, OutputImage, SourceImage
from restore.core.images.transparency import resize_alpha_rows
from restore.core.inference.engine import predict_bounded
from restore.core.inference.predictor import Predictor
from restore.core.inference.readers import ComputedReader, ImageReader
from restore.core.metrics import EvaluationProtocol, measure_batch
from restore.core.networks import Networks
from restore.core.settings import Settings
from restore.core.specs import ClassMaps

S = TypeVar("S", bound=Settings, default=Any)
P = TypeVar("P", bound=Settings, default=Any)
E = TypeVar("E", bound=Settings, default=Any)


class Method(Predictor, Generic[S, P, E]):
    """Turns images into images, as `Predictor` declares it, and can be measured. A trainable method is a `Task`.

    The type parameters are the classes of its settings, of its ``restore predict`` options and of its
    ``restore evaluate`` options. Leave out those that the method does not have:
    ``class Bicubic(Method[UpscaleSettings])``.

    A method is built from its settings alone and holds no networks; the engine passes them to each call.
    """

    settings_type: ClassVar[type[Settings]] = Settings
    """First type parameter: class of the settings."""
    predict_options_type: ClassVar[type[Settings]] = Settings
    """Second type parameter: class of the options of ``restore predict``."""
    evaluate_options_type: ClassVar[type[Settings]] = Settings
    """Third type parameter: class of the options of ``restore evaluate``."""

    pixel_reach: ClassVar[int | None] = 0
    """How far `render` looks: a pixel of an image that it returns depends on the inputs and outputs at most so many
    pixels of the main input away. `read_inputs` must then look at single pixels. None: they need the whole image, which
    has to fit in memory. A class that overrides one of them without setting this needs the whole image."""

    _roles: ClassVar[tuple[str, ...]] = ("settings_type", "predict_options_type", "evaluate_options_type")
    """Class attribute that each type parameter sets."""

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
        order = [set(vars(base)) for base in cls.__mro__]
        declared = next(place for place, names in enumerate(order) if "pixel_reach" in names)
        if any(names & {"read_inputs", "render"} for names in order[:declared]):
            cls.pixel_reach = None
        cls._roles = tuple(roles.get(parameter, "") for parameter in cls.__parameters__)  # type: ignore[attr-defined]

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.predict_options: P = self.predict_options_type()  # type: ignore[assignment]  # what P is bound to
        self.evaluate_options: E = self.evaluate_options_type()  # type: ignore[assignment]

    def with_options(self, *, predict: P | None = None, evaluate: E | None = None) -> Self:
        """Return a copy of the method with other options.

        Args:
            predict: options of ``restore predict``; None keeps the present ones.
            evaluate: options of ``restore evaluate``; None keeps the present ones.
        """
        other = type(self)(self.settings)
        other.predict_options = self.predict_options if predict is None else predict
        other.evaluate_options = self.evaluate_options if evaluate is None else evaluate
        return other

    # --- using ------------------------------------------------------------------------------------------------

    def helper_networks(self) -> dict[str, nn.Module]:
        """Build extra networks that `predict` or `measure` needs under the present options, such as an ensemble.

        The engine freezes them and passes them to both methods together with the other networks. Weights files do not
        store them.
        """
        return {}

    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """Make the input tensors (C, H, W) of an image file. Override it to read a second input, such as a mask.

        Args:
            path: the image file.
            image: its decoded content.
        """
        spec = self.inputs[self.main_input]
        return {self.main_input: spec.low + image.color * (spec.high - spec.low)}

    def open_inputs(self, path: Path, image: SourceImage) -> Mapping[str, Tensor | ImageReader]:
        """Return what `read_inputs` returns, read window by window if `pixel_reach` allows it.

        Override it for a second input that is larger than a tile, such as a mask.

        Args:
            path: the image file.
            image: its decoded content.
        """
        if self.pixel_reach is None:
            return self.read_inputs(path, image.read_whole())

        def window(name: str, rows: slice, columns: slice) -> Tensor:
            return self.read_inputs(path, image.crop(rows, columns))[name]

        height, width = image.size
        return {
            name: ComputedReader((spec.channels, height, width), partial(window, name))
            for name, spec in self.inputs.items()
        }

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | OutputImage]:
        """Turn outputs into images (C, H, W) in [0, 1] to write.

        Args:
            outputs: outputs of `predict` for one image, (C, H, W) each.
            inputs: the inputs that they were made from.

        Returns:
            Images by name: ``""`` is written as ``<stem>.png``, any other name as ``<stem>-<name>.png``. A plain tensor
            takes over bit depth, alpha and color profile of the input image; `OutputImage` limits what it takes over.
        """
        spec = self.outputs[self.main_output]
        return {"": (outputs[self.main_output] - spec.low) / (spec.high - spec.low)}

    @property
    def always_renders(self) -> tuple[str, ...]:
        """Keys that every result of `render` has under the present options.

        Existing files of these names are refused, or skipped if asked for, before the work starts. The file of the
        first key is completed last.
        """
        return ("",)

    @property
    def class_maps(self) -> ClassMaps | None:
        """The parts of a result that are maps of classes, under the present options; None if there are none."""
        return None

    def choose_options(self, inputs: Batch, networks: Networks) -> Mapping[str, Any]:
        """Return values of unset options that the method chooses for an image, such as its control points.

        `predict` with these values gives what it gives without them. A page shows them so that a person can change
        them.

        Args:
            inputs: inputs (1, C, H, W) of one image by name.
            networks: the networks in evaluation mode, without gradients.

        Returns:
            Values by the names of options, as JSON would hold them.
        """
        return {}

    def resize_alpha_rows(
        self,
        rows: Callable[[int, int], Tensor],
        size: tuple[int, int],
        wanted: tuple[int, int],
        first: int,
        last: int,
    ) -> Tensor:
        """Return some rows (1, last - first, W) of an input's alpha channel, resized for a result.

        Bicubic by default. A classical method overrides it to treat alpha as it treats colors. Arguments are those of
        `resize_alpha_rows`.
        """
        return resize_alpha_rows(rows, size, wanted, first, last)

    # --- measuring --------------------------------------------------------------------------------------------

    @abstractmethod
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return the evaluation protocols by name; empty for a method without ground truth."""

    @property
    def metric_roles(self) -> tuple[str, ...]:
        """Roles of the registered metrics and protocols that `measure` can compute besides its own.

        By default ``image`` if the main output is an image of three channels, and ``super-resolution`` if it is also
        larger than the input. ``restore.registry.ROLES`` has the contracts. A method whose targets are no such images
        overrides it.
        """
        spec = self.outputs[self.main_output]
        if (spec.channels, spec.low, spec.high) != (3, 0.0, 1.0):
            return ()
        return ("image", "super-resolution") if spec.scale > 1 and self.main_input == "input" else ("image",)

    @property
    def default_protocol(self) -> str:
        """Name of the protocol that is used by default. Override it if there are several."""
        (only,) = self.protocols()
        return only

    @abstractmethod
    def evaluation_data(self, folder: Path | None) -> AnyDataset:
        """Return the images to measure on: those of ``folder``, or the embedded sample if it is None."""

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Compute the statistics of every metric of a protocol.

        Args:
            batch: inputs and targets (B, C, H, W) by name.
            networks: the networks in evaluation mode.
            protocol: the metrics.

        Returns:
            For each key of the protocol a tensor with one row per sample.
        """
        prediction = predict_bounded(self, batch, networks)[self.main_output]
        return {name: measure_batch(metric, prediction, batch) for name, metric in protocol.items()}

    def sample_row(self, batch: Batch, networks: Networks) -> list[Tensor]:
        """Return images (C, H, W) in [0, 1] that show one sample: input, output, target."""
        output = predict_bounded(self, batch, networks)[self.main_output]
        shown = [batch[self.main_input], output, *([batch["target"]] if "target" in batch else [])]
        return [image[0].clamp(0, 1) for image in shown]
