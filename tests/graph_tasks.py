"""Small tasks whose networks become graphs, or cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from untrained import SmallSettings, Untrained

from restore.core.dataset import Batch
from restore.core.networks import Networks, frozen
from restore.core.specs import ImageSpec, Tiling


class Halving(nn.Module):
    """A network for sides that are even: normalized, halved, and shuffled to twice the size of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.last = nn.Conv2d(8, 48, 3, padding=1)
        self.shuffle = nn.PixelShuffle(4)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """(B, 3, H, W) and (B, 1, H, W) to (B, 3, 2 H, 2 W)."""
        shuffled: Tensor = self.shuffle(self.last(self.down(torch.cat([image, mask], dim=1))))
        return shuffled


class TwoInputs(Untrained[SmallSettings]):
    """An image and a mask become an image of twice the size."""

    def networks(self) -> dict[str, nn.Module]:
        return {"generator": Halving()}

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        return {"input": ImageSpec(), "mask": ImageSpec(channels=1, smooth=False)}

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"output": ImageSpec(scale=2)}

    @property
    def tiling(self) -> Tiling:
        return Tiling("exact", halo=6, multiple_of=2)

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.generator(batch["input"], batch["mask"]).clamp(0, 1)}


class Computed(nn.Module):
    """A network that computes what it is told."""

    def __init__(self, compute: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.compute = compute

    def forward(self, x: Tensor) -> Tensor:
        """Return what is computed of the images."""
        return self.compute(x) * self.gain


class OneInput(Untrained[SmallSettings]):
    """Calls its network on the image."""

    def networks(self) -> dict[str, nn.Module]:
        return {"generator": Computed(torch.sqrt)}

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.generator(batch["input"])}


def two_inputs() -> tuple[TwoInputs, Networks]:
    """The task of two inputs with networks whose running statistics are not zero and one."""
    torch.manual_seed(0)
    task = TwoInputs(SmallSettings())
    networks = task.networks()
    networks["generator"](torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8))
    return task, Networks(frozen(networks))


def computing(compute: Callable[[Tensor], Tensor]) -> tuple[OneInput, Networks]:
    """A task whose network computes what it is told."""
    return OneInput(SmallSettings()), Networks(frozen({"generator": Computed(compute)}))
