"""Networks of spandrel behind the contracts of the roles: padding, gray images, masks, tiles."""

from __future__ import annotations

import inspect
import json
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import spandrel
import torch
import torch.nn.functional as F
from spandrel import ModelTiling
from torch import Tensor, nn
from typing_extensions import override

from restore.core.errors import UsageError
from restore.core.specs import Tiling
from restore.plugins.spandrel.catalog import ARCHITECTURES, Architecture

Descriptor = Any
"""spandrel's ``ImageModelDescriptor`` or ``MaskedImageModelDescriptor``; spandrel has no types for checkers."""

HALO, WIDE_HALO = 32, 64
"""Pixels around a tile, which are cross-faded: networks of spandrel see farther than any tile. The wide one is for
those that use the whole image, for which spandrel discourages tiles."""

_UNTRAINABLE = {"DRUNet", "DnCNN", "FBCNN", "GFPGAN", "IPT", "MMRealSR", "MixDehazeNet", "RestoreFormer"}
"""Called by spandrel in a way of their own, which only works without gradients."""
_RANDOM = {"GFPGAN"}
"""Draw noise at each call; from a fixed seed here, so that equal images give equal results."""
_WINDOWS = ("window_size", "win_size", "split_size", "split_size_0", "split_size_1", "unshuffle")
_GRIDS = {"SCUNet": 64, "FBCNN": 8, "MixDehazeNet": 4, "RealCUGAN": 4}
"""Multiples that networks pad images to by themselves, where no parameter shows it."""
LARGEST_GRID = 64
_SCALES = ("scale", "upscale", "up_scale", "upscale_factor", "upscaling_factor", "upscaling", "num_upscale")


class SpandrelNetwork(nn.Module):
    """A network of spandrel, which is called as spandrel calls it.

    Images (B, 3, H, W) in [0, 1] of any size become images of ``scale`` times the size. In evaluation mode they are
    limited to [0, 1]. Networks for gray images see each color channel by itself, networks with a fourth channel an
    opaque one.

    Args:
        architecture: which one.
        variant: name of its class; None: the first one.
        parameters: arguments of the class.
        scale: the scale that the network must have; None: its own.

    Raises:
        UsageError: the class does not exist, the arguments do not fit it, or the network cannot be used here.
    """

    def __init__(
        self, architecture: Architecture, *, variant: str | None, parameters: Mapping[str, Any], scale: int | None
    ) -> None:
        super().__init__()
        self.architecture = architecture
        descriptor = describe(architecture, variant, parameters, scale)
        _traits.put(architecture, variant, parameters, scale, descriptor)
        self.descriptor = descriptor
        self.network: nn.Module = descriptor.model
        self.tiling = find_tiling(descriptor)
        self.channels: int = descriptor.input_channels

    @override
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        if self.channels == 1:
            single = self._call(images.flatten(0, 1)[:, None])  # (B * 3, 1, H, W)
            return single.reshape(images.shape[0], 3, *single.shape[-2:])
        if self.channels == 4:
            images = torch.cat([images, torch.ones_like(images[:, :1])], dim=1)
        return self._call(images)[:, :3]

    @property
    def export_formats(self) -> tuple[str, ...]:
        """spandrel's programs know all of its networks; BasicSR knows its own, which restore has too."""
        return ("spandrel",)

    def export_state(self) -> Mapping[str, Tensor]:
        """Return the parameters by spandrel's names."""
        return self.network.state_dict()

    def _call(self, images: Tensor) -> Tensor:
        if self.training:
            return self._train(images)
        seeded = self.architecture.id in _RANDOM
        with _quiet(), torch.random.fork_rng() if seeded else nullcontext():
            if seeded:
                torch.manual_seed(0)
            # spandrel promises its call for one image at a time; some networks change their input in place
            return torch.cat([self.descriptor(image[None].clone()) for image in images])

    def _train(self, images: Tensor) -> Tensor:
        """Call the network itself: spandrel's call has no gradients."""
        if self.architecture.id in _UNTRAINABLE:
            raise UsageError(f"spandrel/{self.architecture.name} can be used, but not trained here")
        height, width = images.shape[-2:]
        right, down = self.descriptor.size_requirements.get_padding(width, height)
        padded = F.pad(images, (0, right, 0, down), "replicate") if right or down else images.clone()
        scale = self.descriptor.scale
        output: Tensor = self.network(padded)[..., : height * scale, : width * scale]
        return output


class SpandrelInpainting(SpandrelNetwork):
    """The same for networks that fill in masks."""

    @override
    def forward(self, images: Tensor, masks: Tensor) -> Tensor:  # type: ignore[override]
        """(B, 3, H, W) and (B, 1, H, W), one where an image is to be filled in, to images of the same shape."""
        if self.training:
            raise UsageError(f"spandrel/{self.architecture.name} can be used, but not trained here")
        pairs = zip((images * (1 - masks)).chunk(len(images)), masks.chunk(len(masks)), strict=True)
        with _quiet():
            return torch.cat([self.descriptor(*pair) for pair in pairs])


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide warnings about how spandrel's code uses torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def describe(
    architecture: Architecture, variant: str | None, parameters: Mapping[str, Any], scale: int | None = None
) -> Descriptor:
    """Build a network with new weights, and what spandrel knows about it.

    Raises UsageError if it cannot be built, or not be used for images of three channels.
    """
    name = f"spandrel/{architecture.name}"
    network_class = find_class(architecture, variant)
    given = dict(parameters)
    accepted = inspect.signature(network_class).parameters
    if scale is not None and not given.keys() & set(_SCALES):
        given |= {word: scale for word in _SCALES if word in accepted}
    support = spandrel.MAIN_REGISTRY[architecture.id]
    try:
        with torch.device("cpu"), _quiet():
            made = network_class(**given).state_dict()
            descriptor: Descriptor = support.architecture.load(made)
    except Exception as error:
        said = str(error).partition("\n")[0]
        raise UsageError(
            f"{name}: {network_class.__name__} cannot be built with {json.dumps(given, default=str)}: "
            f"{type(error).__name__}: {said}"
        ) from error
    if channels_problem(descriptor):
        raise UsageError(f"{name}: {channels_problem(descriptor)}")
    return descriptor


def channels_problem(descriptor: Descriptor) -> str:
    """Return why a network cannot be used for images of three channels; empty if it can."""
    channels = descriptor.input_channels, descriptor.output_channels
    if channels in {(1, 1), (3, 3), (4, 3), (4, 4), (3, 4)}:
        return ""
    return f"it maps {channels[0]} channels to {channels[1]}, which restore cannot use for images"


def find_class(architecture: Architecture, variant: str | None) -> type[nn.Module]:
    """Return the class of a network. Raises UsageError if the architecture has none of this name."""
    classes = list_classes(architecture)
    if variant is not None and variant not in classes:
        raise UsageError(f"spandrel/{architecture.name} has no variant {variant!r}; available: {', '.join(classes)}")
    return classes[variant or next(iter(classes))]


def list_classes(architecture: Architecture) -> dict[str, type[nn.Module]]:
    """Return the classes of networks of an architecture by the names under which spandrel exports them."""
    module = import_module(f"spandrel.architectures.{architecture.id}")
    return {name: getattr(module, name) for name in module.__all__ if not name.endswith("Arch")}


def find_tiling(descriptor: Descriptor) -> Tiling:
    """Return how images may be cut for a network: never if it needs a square or a face, else cross-faded."""
    needs = descriptor.size_requirements
    if needs.square or descriptor.tiling is ModelTiling.INTERNAL or descriptor.purpose == "FaceSR":
        return Tiling("whole", halo=0, multiple_of=1)
    halo = WIDE_HALO if descriptor.tiling is ModelTiling.DISCOURAGED else HALO
    return Tiling("blend", halo=halo, multiple_of=find_grid(descriptor))


def find_grid(descriptor: Descriptor) -> int:
    """Return the multiple of pixels at which images may be cut for a network: that of its windows and coarsest level.

    A tile that begins elsewhere is divided into other windows than the whole image. spandrel names what the size must
    be a multiple of, but not what a network pads by itself.
    """
    parameters: Mapping[str, Any] = descriptor.model.hyperparameters
    found = [parameters[name] for name in _WINDOWS if name in parameters]
    sides = [side for value in found for side in (value if isinstance(value, list | tuple) else [value])]
    padded = getattr(descriptor.model, "padder_size", 1)  # of NAFNet and KBNet
    own = _GRIDS.get(str(descriptor.architecture.id), 1)
    whole = [side for side in (*sides, padded, own) if isinstance(side, int) and side > 0]
    grid = math.lcm(descriptor.size_requirements.multiple_of, *whole)
    return grid if grid <= LARGEST_GRID else int(descriptor.size_requirements.multiple_of)


class _Requirements(nn.Module):
    """Stands for a network on the device ``meta``, of which only the attributes are read."""

    def __init__(self, tiling: Tiling) -> None:
        super().__init__()
        self.tiling = tiling


class _Traits:
    """Remembers the tiling of networks that were built, so that asking for it builds none again."""

    def __init__(self) -> None:
        self._known: dict[str, Tiling] = {}

    def put(self, *of: Any) -> None:
        *key, descriptor = of
        self._known[self._key(*key)] = find_tiling(descriptor)

    def get(
        self, architecture: Architecture, variant: str | None, parameters: Mapping[str, Any], scale: int | None
    ) -> Tiling:
        key = self._key(architecture, variant, parameters, scale)
        if key not in self._known:
            self._known[key] = find_tiling(describe(architecture, variant, parameters, scale))
        return self._known[key]

    @staticmethod
    def _key(architecture: Architecture, variant: str | None, parameters: Mapping[str, Any], scale: int | None) -> str:
        return json.dumps([architecture.id, variant, parameters, scale], sort_keys=True, default=str)


_traits = _Traits()


def build(
    architecture: Architecture,
    *,
    variant: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    scale: int | None = None,
) -> nn.Module:
    """Build a network of an architecture; arguments and errors are those of `SpandrelNetwork`."""
    parameters = parameters or {}
    if torch.get_default_device().type == "meta":
        return _Requirements(_traits.get(architecture, variant, parameters, scale))
    network_type = SpandrelInpainting if architecture.role == "inpainting" else SpandrelNetwork
    return network_type(architecture, variant=variant, parameters=parameters, scale=scale)


NETWORKS = SimpleNamespace(**{each.attribute: partial(build, each) for each in ARCHITECTURES})
"""A factory of each architecture, by its name."""
