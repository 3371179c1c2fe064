"""Settings of degradations. Imports no torch.

The defaults of ranges are those of the first stage of Real-ESRGAN (Wang et al., *Real-ESRGAN: Training Real-World Blind
Super-Resolution with Pure Synthetic Data*, 2021, section 4.1); the defaults of probabilities are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from typing_extensions import override

from restore.core.settings import Flag, Settings, overlay
from restore.plugins.common.degradation.presets import PRESETS, Preset

KernelKind = Literal[
    "isotropic",
    "anisotropic",
    "generalized-isotropic",
    "generalized-anisotropic",
    "plateau-isotropic",
    "plateau-anisotropic",
    "sinc",
]
Filter = Literal["area", "bilinear", "bicubic"]
Probability = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=3, le=51)]
Sigma = Annotated[float, Field(ge=0, le=255)]
Quality = Annotated[int, Field(ge=1, le=100)]


def _check_rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"the smallest value, {value[0]:g}, is above the largest, {value[1]:g}")
    return value


def _check_odd(value: tuple[int, int]) -> tuple[int, int]:
    if not all(side % 2 for side in value):
        raise ValueError("the sides of kernels are odd")
    return value


Rising = AfterValidator(_check_rising)


class BlurSettings(Settings):
    """Convolution with a random kernel."""

    probability: Probability = 0.0
    """Probability of a blur."""
    kernels: dict[KernelKind, Weight] = {  # noqa: RUF012 - pydantic copies it
        "isotropic": 0.405,
        "anisotropic": 0.225,
        "generalized-isotropic": 0.108,
        "generalized-anisotropic": 0.027,
        "plateau-isotropic": 0.108,
        "plateau-anisotropic": 0.027,
        "sinc": 0.1,
    }
    """How often each kind of kernel is drawn, relative to the others: Gaussian, generalized Gaussian and
    plateau-shaped kernels, round or elongated, and sinc, a low-pass filter that rings. Kinds that are not named are
    not drawn."""
    sides: Annotated[tuple[Side, Side], Rising, AfterValidator(_check_odd)] = (7, 21)
    """Smallest and largest side of a kernel in pixels; odd."""
    sigma: Annotated[tuple[Positive, Positive], Rising] = (0.2, 3.0)
    """Smallest and largest standard deviation in pixels, along each axis of a kernel."""
    generalized_shape: Annotated[tuple[Positive, Positive], Rising] = (0.5, 4.0)
    """Smallest and largest exponent of generalized Gaussian kernels; 1 is a Gaussian."""
    plateau_shape: Annotated[tuple[Positive, Positive], Rising] = (1.0, 2.0)
    """Smallest and largest exponent of plateau-shaped kernels."""

    @model_validator(mode="after")
    def _some_kernel(self) -> Self:
        if self.probability and not any(self.kernels.values()):
            raise ValueError("kernels: every weight is 0; raise one, or set the probability of a blur to 0")
        return self


class ResizeSettings(Settings):
    """Resizing by a random factor."""

    up: Probability = 0.0
    """Probability of upscaling."""
    down: Probability = 0.0
    """Probability of downscaling; what both leave keeps the size."""
    factors: Annotated[tuple[Positive, Positive], Rising] = (0.15, 1.5)
    """Smallest and largest factor, below and above 1."""
    filters: Annotated[tuple[Filter, ...], Field(min_length=1)] = ("area", "bilinear", "bicubic")
    """Interpolations, drawn equally often."""
    antialias: bool = False
    """Widen the filters when they downscale, as cameras and browsers do; Real-ESRGAN does not."""

    @model_validator(mode="after")
    def _probabilities_fit(self) -> Self:
        if self.up + self.down > 1 + 1e-9:
            raise ValueError(f"up ({self.up:g}) and down ({self.down:g}) add up to more than 1")
        if (self.up and self.factors[1] < 1) or (self.down and self.factors[0] > 1):
            raise ValueError(
                f"factors {self.factors[0]:g} to {self.factors[1]:g} do not allow what up and down ask for"
            )
        return self


class NoiseSettings(Settings):
    """Gaussian or Poisson noise."""

    probability: Probability = 0.0
    """Probability of noise."""
    poisson: Probability = 0.5
    """Fraction of it that is Poisson noise, whose variance grows with brightness; the rest is Gaussian."""
    gray: Probability = 0.4
    """Fraction of it that is equal in all color channels."""
    sigma: Annotated[tuple[Sigma, Sigma], Rising] = (1.0, 30.0)
    """Smallest and largest standard deviation of Gaussian noise, of 255."""
    poisson_scale: Annotated[tuple[Positive, Positive], Rising] = (0.05, 3.0)
    """Smallest and largest factor of Poisson noise; with 1, white counts 256 events."""


class CompressionSettings(Settings):
    """JPEG or WebP."""

    probability: Probability = 0.0
    """Probability of a compression."""
    webp: Probability = 0.0
    """Fraction of it that is WebP; the rest is JPEG."""
    quality: Annotated[tuple[Quality, Quality], Rising] = (30, 95)
    """Smallest and largest quality."""


class SharpenSettings(Settings):
    """Unsharp masking, as cameras do it."""

    probability: Probability = 0.0
    """Probability of sharpening."""
    amount: Annotated[tuple[Positive, Positive], Rising] = (0.2, 1.0)
    """Smallest and largest amount: how much of the difference from a blurred copy is added."""
    sigma: Annotated[tuple[Positive, Positive], Rising] = (0.5, 2.0)
    """Smallest and largest standard deviation of that blur in pixels."""


class StageSettings(Settings):
    """Blur, resizing, noise and compression, in this order."""

    blur: BlurSettings = BlurSettings()
    """Blur."""
    resize: ResizeSettings = ResizeSettings()
    """Resizing."""
    noise: NoiseSettings = NoiseSettings()
    """Noise."""
    compression: CompressionSettings = CompressionSettings()
    """Compression."""


class LastStageSettings(StageSettings):
    """Blur, resizing, sharpening, noise, the input's size, a sinc filter and compression.

    Random factors of resizing are relative to the input's size here. With random resizing or the sinc filter,
    compression comes before the input's size half of the time.
    """

    sharpen: SharpenSettings = SharpenSettings()
    """Sharpening."""
    sinc: Probability = 0.0
    """Probability of a last sinc filter, which leaves ringing as of a camera or a scaler."""


class DegradationSettings(Settings):
    """How inputs are made of good images: a preset, and whatever is set besides it.

    Without a preset nothing degrades them, and inputs are targets that were downscaled with MATLAB's bicubic.
    """

    preset: Annotated[Preset, Flag("--preset")] = "none"
    """Values of all other settings of this group, each of which can still be set: jpeg (JPEG and light noise), photo
    (photographs of phones and the web), real-esrgan (second order, its published ranges), or none."""
    sharpen_target: bool = False
    """Sharpen the targets of training, so that the network learns to sharpen too."""
    first: StageSettings = StageSettings()
    """First stage, at the size of the target: what happened before an image was made small."""
    last: LastStageSettings = LastStageSettings()
    """Last stage, at about the size of the input: what happened after that. It ends at exactly that size."""

    @model_validator(mode="before")
    @classmethod
    def _lay_over_preset(cls, values: Any) -> Any:
        if isinstance(values, str):
            values = {"preset": values}
        if not isinstance(values, Mapping):
            return values
        preset = PRESETS.get(values.get("preset") or "none")
        return values if preset is None else overlay(preset, values)

    @model_serializer(mode="wrap")
    def _without_preset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return only what differs from the preset, so that another preset can be laid over a file."""
        return _difference(handler(self), handler(DegradationSettings(preset=self.preset)))

    @property
    def active(self) -> bool:
        """Whether inputs differ from bicubically downscaled targets."""
        return self.model_copy(update={"preset": "none"}) != DegradationSettings()

    @override
    def __str__(self) -> str:
        """Return the preset and what differs from it: ``jpeg last.compression.quality=40-40``."""
        usual = DegradationSettings(preset=self.preset)
        return " ".join([self.preset, *_changes(self, usual)])


def _difference(values: dict[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from usual ones; a dictionary without any is left out."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name == "preset" or name not in usual:
            kept[name] = value
        elif isinstance(value, dict) and isinstance(usual[name], Mapping):
            if differing := _difference(value, usual[name]):
                kept[name] = differing
        elif value != usual[name]:
            kept[name] = value
    return kept


def _changes(own: Settings, usual: Settings, above: str = "") -> list[str]:
    found: list[str] = []
    for name in type(own).model_fields:
        value, other = getattr(own, name), getattr(usual, name)
        if isinstance(value, Settings):
            found += _changes(value, other, f"{above}{name}.")
        elif value != other:
            found.append(f"{above}{name}={_in_words(value)}")
    return found


def _in_words(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(_in_words, value))
    if isinstance(value, dict):
        return ",".join(f"{name}:{weight:g}" for name, weight in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
