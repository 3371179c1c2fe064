"""Random numbers of degradations, from torch's global generator alone: the engine seeds it for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch

Item = TypeVar("Item")


def uniform(limits: tuple[float, float]) -> float:
    """Draw a number between two limits."""
    low, high = limits
    return low + (high - low) * torch.rand(()).item()


def draw_integer(limits: tuple[int, int]) -> int:
    """Draw a whole number from the first to the second limit, both included."""
    return int(torch.randint(limits[0], limits[1] + 1, ()))


def happens(probability: float) -> bool:
    """Draw whether something happens; what is certain takes no random number."""
    return probability >= 1 or (probability > 0 and torch.rand(()).item() < probability)


def choose(items: Sequence[Item]) -> Item:
    """Draw one of several, all equally likely."""
    return items[int(torch.randint(len(items), ()))]


def choose_weighted(weights: Mapping[Item, float]) -> Item:
    """Draw a key with a probability in proportion to its weight. Raises ValueError unless a weight is positive."""
    positive = {item: weight for item, weight in weights.items() if weight > 0}
    if not positive:
        raise ValueError("no weight is positive")
    left = torch.rand(()).item() * sum(positive.values())
    for item, weight in positive.items():
        left -= weight
        if left < 0:
            return item
    return item
