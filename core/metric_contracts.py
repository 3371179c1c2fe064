"""What a registered metric or protocol must do, and a check of it on small random images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from restore.core.contracts import UnfitForRole
from restore.core.metrics import (
    EvaluationProtocol,
    Metric,
    NoReferenceMetric,
    PartialMetric,
    SizedMetric,
    measure_batch,
)
from restore.core.seeding import seeded

HEIGHT, WIDTH = 176, 192
"""Size of the images that a metric is tried on, unless it needs larger ones: MS-SSIM needs 176 pixels on a side."""
TOLERANCE = 1e-2
"""Allowed difference between the statistics of an image in a batch and alone, as a fraction of the largest."""

_EXTENDED = {"inpainting": "measure_inside", "super-resolution": "measure_from"}
"""The method that metrics of a role have, besides those of the role ``image``."""


def check_metric(metric: Any, role: str, name: str, *, given: Mapping[str, Any] | None = None) -> None:
    """Measure two images, once close to their targets, once far from them and once equal.

    Args:
        metric: what the registered factory returned.
        role: its role in ``restore.registry.ROLES``, which has the contract.
        name: its full name, for errors.
        given: the arguments of the contract that it was built with, such as ``num_classes``.

    Raises:
        UnfitForRole: the metric breaks its contract; the message is one sentence.
    """
    problem = _find_description_problem(metric, role)
    larger = max(0, metric.least_side - HEIGHT) if isinstance(metric, SizedMetric) else 0
    with seeded(0):
        samples = _make_samples(role, given or {}, (HEIGHT + larger, WIDTH + larger))
    try:
        with torch.no_grad(), seeded(0):
            for batch, predictions in samples:
                problem = problem or _find_problem(metric, batch, *predictions)
    except Exception as error:  # noqa: BLE001 - a metric of a plugin may raise anything
        first = str(error).partition("\n")[0]
        problem = f"fails with {type(error).__name__}: {first} on images of {WIDTH + larger} x {HEIGHT + larger} pixels"
    if problem:
        raise UnfitForRole(f"metric {name} cannot be used for {role}: it {problem}")


def check_protocol(protocol: Any, role: str, name: str, *, given: Mapping[str, Any] | None = None) -> None:
    """Check that a registered factory returned a mapping of metrics, and each metric; arguments as `check_metric`.

    Raises:
        UnfitForRole: it is no such mapping, it is empty, or one of its metrics breaks its contract.
    """
    if not isinstance(protocol, Mapping) or not protocol:
        raise UnfitForRole(f"protocol {name} cannot be used: it is {type(protocol).__name__}, or has no metrics")
    checked: EvaluationProtocol = protocol
    for key, metric in checked.items():
        plain = role in _EXTENDED and not callable(getattr(metric, _EXTENDED[role], None))
        check_metric(metric, "image" if plain else role, f"{name}[{key}]", given=given)


def _find_description_problem(metric: Any, role: str) -> str:
    for attribute in ("name", "convention"):
        text = getattr(metric, attribute, None)
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            return f"has {text!r} as its {attribute}, not one line of text"
    better = getattr(metric, "better", None)
    if better not in ("higher", "lower"):
        return f"has {better!r} as 'better', not 'higher' or 'lower'"
    missing = [method for method in ("measure", "reduce") if not callable(getattr(metric, method, None))]
    if role in _EXTENDED and not callable(getattr(metric, _EXTENDED[role], None)):
        missing.append(_EXTENDED[role])
    return f"has no method {missing[0]}()" if missing else ""


Sample = tuple[dict[str, Tensor], tuple[Tensor, Tensor]]
"""A batch, and two predictions of it: a close one and one that is far off."""


def _make_samples(role: str, given: Mapping[str, Any], size: tuple[int, int]) -> list[Sample]:
    if role == "segmentation":
        return _make_segmentations(int(given["num_classes"]), size)
    target = _smooth_images(3, size)
    gray = {"target": _smooth_images(1, size)}
    batches = [{"target": target}] if role == "inpainting" else [{"target": target}, gray]
    if role == "super-resolution":
        for batch in batches:
            batch["input"] = _halve(batch["target"].expand(-1, 3, -1, -1))
    if role == "inpainting":
        mask = torch.zeros(2, 1, *size)
        mask[0, :, 40:90, 50:150] = mask[1, :, 100:160, 20:60] = 1.0
        batches[0]["mask"] = mask
    return [(batch, _spoil(batch["target"].expand(-1, 3, -1, -1))) for batch in batches]


def _smooth_images(channels: int, size: tuple[int, int]) -> Tensor:
    """Return two images in [0, 1] with large and small structures."""
    coarse = torch.nn.functional.interpolate(torch.rand(2, channels, 11, 12), size, mode="bilinear")
    return (0.8 * coarse + 0.2 * torch.rand(2, channels, *size)).clamp(0, 1)


def _halve(images: Tensor) -> Tensor:
    small = torch.nn.functional.interpolate(images, scale_factor=0.5, mode="bicubic", antialias=True)
    return small.clamp(0, 1)


def _spoil(images: Tensor) -> tuple[Tensor, Tensor]:
    noise = torch.randn(images.shape)
    close, far = ((images + strength * noise).clamp(0, 1) for strength in (0.05, 0.5))
    return close, far


def _make_segmentations(num_classes: int, size: tuple[int, int]) -> list[Sample]:
    numbers = (torch.rand(2, 1, *size) * num_classes).long().clamp(max=num_classes - 1)
    one_class = torch.zeros(2, num_classes, *size).scatter_(1, numbers, 1.0)
    maps = (torch.rand(2, num_classes, *size) > 0.5).float()
    samples: list[Sample] = [({"target": maps}, _spoil(maps))]
    if num_classes > 1:
        close, far = (spoiled / spoiled.sum(1, keepdim=True).clamp(min=1e-6) for spoiled in _spoil(one_class))
        samples.append(({"target": numbers}, (close, far)))
    return samples


def _find_problem(metric: Metric, batch: dict[str, Tensor], close: Tensor, far: Tensor) -> str:
    """Return what is wrong with the statistics and results of a batch of two; empty if nothing is."""
    target, kept = batch["target"], far.clone()
    rows: Any = measure_batch(metric, far, batch)
    if not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) != 2 or not rows.shape[1]:
        found = tuple(rows.shape) if isinstance(rows, Tensor) else type(rows).__name__
        return f"returns statistics of shape {found} for two images, not (2, K)"
    if rows.dtype != torch.float64 or not bool(rows.isfinite().all()):
        return f"returns statistics that are {'not finite' if rows.dtype == torch.float64 else rows.dtype}, not float64"
    if not torch.equal(kept, far):
        return "changes the images that it is given"
    alone = measure_batch(metric, far[:1], {key: value[:1] for key, value in batch.items()})
    if not torch.allclose(rows[:1], alone, rtol=0, atol=TOLERANCE * max(1.0, float(rows.abs().max()))):
        return "returns statistics of an image that depend on the other images of its batch"
    perfect = target.expand_as(far) if target.is_floating_point() else torch.zeros_like(far).scatter_(1, target, 1.0)
    best, good, bad = (
        metric.reduce(measure_batch(metric, each, batch) if each is not far else rows) for each in (perfect, close, far)
    )
    if not all(isinstance(value, float) for value in (best, good, bad)):
        return f"reduces statistics to {type(bad).__name__}, not to a float"
    if math.isnan(bad) or math.isnan(best):
        return "" if isinstance(metric, PartialMetric) else "reduces the statistics of two images to NaN"
    if isinstance(metric, NoReferenceMetric):
        other = measure_batch(metric, far, {**batch, "target": target.flip(-1)})
        return "" if torch.equal(other, rows) else "depends on the target, although it says that it does not"
    sign = 1 if metric.better == "higher" else -1
    if sign * best <= sign * bad or sign * best < sign * good:
        return (
            f"gives {best:.4g} to predictions that equal their targets and {bad:.4g} to noisy ones, though "
            f"{metric.better} is better"
        )
    return ""
