"""What a dataset of each role must hold, and a check of it on its first and its last sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from restore.core.contracts import UnfitForRole
from restore.core.errors import RestoreError
from restore.core.seeding import seeded

MARGIN = 2.0
"""How far values of an image may lie outside [0, 1]: noise has no limits, but values up to 255 are a mistake."""


def check_dataset(dataset: Any, role: str, name: str, *, given: Mapping[str, Any]) -> None:
    """Make the first and the last sample of a dataset and compare them with the contract of its role.

    Samples of ``split="train"`` must also have one shape, and samples of any other split must be the same each time.
    The random number generators keep their states.

    Args:
        dataset: the dataset.
        role: the role; a role that is not in `CONTRACTS` is not checked.
        name: name of the dataset, for errors.
        given: the arguments of the contract that it was built with: ``split`` and, for pairs, ``crop_size`` and
            ``scale``.

    Raises:
        UnfitForRole: the dataset is empty, fails, or holds something else than its role promises.
        RestoreError: an error that the dataset reports itself, such as a damaged file.
    """
    if role not in CONTRACTS:
        return
    try:
        problem = next(_find_problems(dataset, role, given), "")
    except RestoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the code of a plugin raises
        problem = f"it fails with {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if problem:
        raise UnfitForRole(f"{name} cannot be used for {role}: built with split={given['split']}, {problem}")


def _find_problems(dataset: Any, role: str, given: Mapping[str, Any]) -> Iterator[str]:
    if not len(dataset):
        yield "it has no samples"
    shapes = []
    for index in dict.fromkeys((0, len(dataset) - 1)):
        sample = _draw(dataset, index, seed=1)
        if problem := CONTRACTS[role](dataset, sample, given):
            yield f"sample {index} {problem}"
        if given["split"] != "train" and not _equal(sample, _draw(dataset, index, seed=2)):
            yield f"sample {index} differs each time; only samples for training may be drawn at random"
        if isinstance(sample, Mapping):
            shapes.append({key: tuple(value.shape) for key, value in sample.items()})
    if given["split"] == "train" and shapes and shapes[0] != shapes[-1]:
        yield f"samples do not fit into one batch: {shapes[0]} and {shapes[-1]}"


def _draw(dataset: Any, index: int, seed: int) -> Any:
    with seeded(seed):
        return dataset[index]


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    values = [list(sample.values() if isinstance(sample, Mapping) else sample) for sample in (first, second)]
    return all(_equal(one, other) for one, other in zip(*values, strict=True))


def _images(dataset: Any, sample: Any, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    return _bytes_problem("is", sample, 3)


def _super_resolution(dataset: Any, sample: Any, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    if problem := _keys_problem(sample, "input", "target") or _image_problem("input", sample["input"], 3):
        return problem
    scale = given["scale"]
    height, width = (round(side * scale) for side in sample["input"].shape[-2:])
    whole = f"{scale:g} times the size of input"
    return _target_problem(sample["target"], height, width, whole, given)


def _restoration(dataset: Any, sample: Any, given: Mapping[str, Any]) -> str:
    return _super_resolution(dataset, sample, {**given, "scale": 1})


def _target_problem(target: Any, height: int, width: int, size: str, given: Mapping[str, Any]) -> str:
    training = given["split"] == "train"
    gray = isinstance(target, Tensor) and target.shape[:1] == (1,) and not training
    if problem := _image_problem("target", target, 1 if gray else 3):
        return problem
    if tuple(target.shape[1:]) != (height, width):
        return f"has a target of {_describe(target)}, which is not {size}"
    wanted = given.get("crop_size")
    if training and wanted is not None and (height, width) != (wanted, wanted):
        return f"has a target of {_describe(target)}; crop_size={wanted} was asked for"
    return ""


def _inpainting(dataset: Any, sample: Any, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    if problem := _keys_problem(sample, "input", "mask", "target"):
        return problem
    target, mask = sample["target"], sample["mask"]
    if problem := _image_problem("input", sample["input"], 3) or _image_problem("mask", mask, 1):
        return problem
    height, width = sample["input"].shape[1:]
    if problem := _target_problem(target, height, width, "the size of input", given):
        return problem
    if mask.shape[1:] != target.shape[1:]:
        return f"has a mask of {_describe(mask)} for a target of {_describe(target)}"
    if not bool(((mask == 0) | (mask == 1)).all()):
        return "has a mask with other values than 0 and 1"
    if not torch.equal(sample["input"], target * (1 - mask)):
        return "has an input that is not its target with zeros inside the mask"
    return ""


def _segmentation(dataset: Any, sample: Any, given: Mapping[str, Any]) -> str:  # noqa: ARG001
    classes, multiclass = tuple(dataset.classes), bool(getattr(dataset, "multiclass", False))
    if not isinstance(sample, tuple) or len(sample) != 2:
        return f"is a {type(sample).__name__}, not a tuple of an image and its masks"
    image, masks = sample
    if problem := _bytes_problem("has an image that is", image, 3) or _bytes_problem(
        "has masks that are", masks, 1 if multiclass else len(classes)
    ):
        return problem
    if image.shape[1:] != masks.shape[1:]:
        return f"has masks of {_describe(masks)} for an image of {_describe(image)}"
    most = int(masks[masks != _UNKNOWN].max()) if bool((masks != _UNKNOWN).any()) else 0
    if most >= (len(classes) if multiclass else 2):
        return f"has masks with the value {most}; its classes are {', '.join(classes)}"
    return ""


_UNKNOWN = 255
"""Class number of a pixel about which nothing is known."""


def _keys_problem(sample: Any, *keys: str) -> str:
    if not isinstance(sample, Mapping):
        return f"is a {type(sample).__name__}, not a dictionary with {', '.join(keys)}"
    missing = [key for key in keys if key not in sample]
    return f"has no {' and no '.join(missing)}" if missing else ""


def _image_problem(key: str, image: Any, channels: int) -> str:
    if not isinstance(image, Tensor) or image.ndim != 3 or len(image) != channels or not image.is_floating_point():
        return f"has {key} {_describe(image)}, not a float tensor ({channels}, H, W)"
    low, high = float(image.min()), float(image.max())
    if not (math.isfinite(low) and math.isfinite(high) and low >= -MARGIN and high <= 1 + MARGIN):
        return f"has {key} with values from {low:g} to {high:g}, not in about [0, 1]"
    return ""


def _bytes_problem(what: str, image: Any, channels: int) -> str:
    if isinstance(image, Tensor) and image.ndim == 3 and len(image) == channels and image.dtype == torch.uint8:
        return ""
    return f"{what} {_describe(image)}, not a uint8 tensor ({channels}, H, W)"


def _describe(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"


CONTRACTS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], str]] = {
    "images": _images,
    "super-resolution": _super_resolution,
    "restoration": _restoration,
    "inpainting": _inpainting,
    "segmentation": _segmentation,
}
"""A function for each role that returns what is wrong with a sample; empty if nothing is."""
