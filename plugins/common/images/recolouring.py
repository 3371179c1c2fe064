"""Train on more colours than few photographs have."""

from __future__ import annotations

import torch

from restore.core.steps import Batch


def recoloured(batch: Batch) -> Batch:
    """Samples with their channels exchanged and dimmed, each by chance, alike in all pictures of a sample.

    ``batch`` holds pictures (B, 3, H, W) in [0, 1] and nothing else. Gray pictures get a tint. Chance is torch's on the
    CPU, whatever the device.
    """
    samples = len(next(iter(batch.values())))
    orders, gains = torch.rand(samples, 3).argsort(1), 1 - 0.6 * torch.rand(samples, 3, 1, 1)
    chosen = torch.arange(samples)[:, None], orders
    return {name: gains.to(pictures.device) * pictures[chosen] for name, pictures in batch.items()}
