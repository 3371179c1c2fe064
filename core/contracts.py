"""What an architecture of each role must do, and a check of it on images without content, which takes milliseconds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from restore.core.errors import UsageError
from restore.core.specs import Tiling

SIDES = (48, 64)
"""Height and width of the images that a network is tried on, in pixels, rounded up to what it needs."""

ODD_SIDES = (45, 61)
"""The same for roles whose networks must accept images of any size."""

ANY_SIZE = ("autoencoder", "inpainting")
"""These roles."""


class UnfitForRole(UsageError):
    """What was chosen by name, such as an architecture, does not do what its role promises."""


@runtime_checkable
class Tileable(Protocol):
    """A network that says how large images may be cut for it."""

    @property
    def tiling(self) -> Tiling:
        """How large images may be cut into tiles."""


def tiling_of(network: nn.Module) -> Tiling:
    """Return how large images may be cut for a network: its attribute ``tiling``, else cross-faded tiles."""
    return network.tiling if isinstance(network, Tileable) else Tiling()


def check_architecture(
    network: nn.Module, role: str, name: str, *, given: Mapping[str, Any], input_size: tuple[int, int] | None = None
) -> None:
    """Call a network once, in evaluation mode, and compare what comes back with the contract of its role.

    Args:
        network: the network; it is not changed.
        role: the role; `CONTRACTS` has those that are checked.
        name: name of the architecture, for errors.
        given: the arguments of the contract that it was built with, such as ``scale``.
        input_size: height and width of the images; None: some size that the role, or the network's tiling, allows.

    Raises:
        UnfitForRole: the network fails, or returns something of another type or shape.
    """
    step = tiling_of(network).multiple_of
    usual = ODD_SIDES if role in ANY_SIZE else tuple(-(-side // step) * step for side in SIDES)
    height, width = input_size or usual

    def images(channels: int = 3) -> Tensor:
        return torch.zeros(1, channels, height, width)

    try:
        with torch.no_grad():
            problem = CONTRACTS[role](copy.deepcopy(network).eval(), images, given)
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError) as error:
        problem = f"fails with {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if problem:
        built = ", ".join(f"{key}={value}" for key, value in given.items())
        raise UnfitForRole(
            f"{name} cannot be used for {role}: built with {built or 'its settings'} and called with an image of "
            f"{width} x {height} pixels, it {problem}"
        )


def shape_problem(output: Any, *expected: int | str) -> str:
    """Return what is wrong with an output that should be a tensor of a shape; empty if nothing is.

    A letter in the shape stands for any number.
    """
    if not isinstance(output, Tensor):
        return f"returns {type(output).__name__}, not a tensor"
    found = tuple(output.shape)
    fits = [isinstance(wanted, str) or wanted == length for wanted, length in zip(expected, found, strict=False)]
    if len(found) != len(expected) or not all(fits):
        return f"returns a tensor of shape {found}, not ({', '.join(map(str, expected))})"
    return ""


def attributes_problem(output: Any, shapes: Mapping[str, Sequence[int | str]]) -> str:
    """Return what is wrong with an output that should have a tensor of a shape under each name; empty if nothing is."""
    for name, expected in shapes.items():
        if not hasattr(output, name):
            return f"returns {type(output).__name__}, which has no {name}"
        if problem := shape_problem(getattr(output, name), *expected):
            return f"{problem}, as {name}"
    return ""


Images = Callable[..., Tensor]
"""Makes a batch of one image; its argument is the number of channels."""


def _super_resolution(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:
    low = images()
    scale = int(given["scale"])
    return shape_problem(network(low), 1, 3, low.shape[2] * scale, low.shape[3] * scale)


def _restoration(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    return shape_problem(network(images()), *images().shape)


def _inpainting(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    output = network(images(), mask_middle(images(1)))
    stages = output if isinstance(output, (list, tuple)) and output else [output]
    return next(filter(None, (shape_problem(stage, *images().shape) for stage in stages)), "")


def mask_middle(mask: Tensor) -> Tensor:
    """Return a mask (1, 1, H, W) that is one in a part of the middle."""
    height, width = mask.shape[2:]
    mask[..., height // 4 : height // 2, width // 4 : width // 2] = 1
    return mask


def _autoencoder(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:
    encoder, decoder, stride = (getattr(network, name) for name in ("encoder", "decoder", "stride"))
    image, latent, scale = images(), int(given["latent"]), int(given["scale"])
    height, width = image.shape[2:]
    places = -(-height // stride), -(-width // stride)
    encoded = encoder(image)
    if problem := shape_problem(encoded, 1, latent * (2 if given["variational"] else 1), *places):
        return f"has an encoder that {problem}"
    decoded = decoder(encoded[:, :latent], height * scale, width * scale)
    if problem := shape_problem(decoded, 1, 3, height * scale, width * scale):
        return f"has a decoder that {problem}"
    inside = {id(parameter) for half in (encoder, decoder) for parameter in half.parameters()}
    outside = [name for name, parameter in network.named_parameters() if id(parameter) not in inside]
    return f"has parameters outside of encoder and decoder: {', '.join(outside)}" if outside else ""


def _warping(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:
    image, style = images(), int(given["style"])
    size = image.shape[2:]
    code, scale = image.new_zeros(1, style), image.new_ones(1)
    both = network(torch.cat([image, image]), code, scale, reconstruct=True)
    drawn = {
        "image": (1, 3, *size),
        "rendered": (1, 3, *size),
        "points": (1, "P", 2),
        "displacements": (1, "P", 2),
        "flow": (1, 2, *size),
    }
    own = {"encoded_style": (2, style), "reconstructed": (2, 3, *size)}
    return attributes_problem(both, {**drawn, **own}) or attributes_problem(network(image), drawn)


def _identity_discriminator(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:
    shapes = {"patches": (1, 3, "h", "w"), "identities": (1, 3 * int(given["identities"])), "embedding": (1, "K")}
    return attributes_problem(network(images()), shapes)


def _segmentation(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:
    image = images(int(given["input_channels"]))
    output = network(image)
    if isinstance(output, (list, tuple)) and output:
        output = output[-1]
    return shape_problem(output, 1, int(given["num_classes"]), *image.shape[2:])


def _discriminator(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    return scores_problem(network(images()))


def _inpainting_discriminator(network: nn.Module, images: Images, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    shown = images(), mask_middle(images(1))
    problem = scores_problem(network(*shown))
    if problem or not getattr(network, "has_features", False):
        return problem
    scores, features = network(*shown, features=True)
    others = [type(each).__name__ for each in features if not isinstance(each, Tensor)]
    return scores_problem(scores) or (f"returns {others[0]} among its features, not a tensor" if others else "")


def scores_problem(scores: Any) -> str:
    """Return what is wrong with the scores of one image; empty if nothing is."""
    for score in scores if isinstance(scores, (list, tuple)) else [scores]:
        if not isinstance(score, Tensor) or score.ndim not in (2, 4) or score.shape[:2] != (1, 1):
            shape = tuple(score.shape) if isinstance(score, Tensor) else type(score).__name__
            return f"returns scores of shape {shape}, not (B, 1) or (B, 1, h, w)"
    return ""


CONTRACTS: Mapping[str, Callable[[nn.Module, Images, Mapping[str, Any]], str]] = {
    "super-resolution": _super_resolution,
    "restoration": _restoration,
    "inpainting": _inpainting,
    "autoencoder": _autoencoder,
    "warping": _warping,
    "identity-discriminator": _identity_discriminator,
    "segmentation": _segmentation,
    "discriminator": _discriminator,
    "inpainting-discriminator": _inpainting_discriminator,
}
"""A function for each role that calls a network and returns what is wrong with it; empty if nothing is."""
