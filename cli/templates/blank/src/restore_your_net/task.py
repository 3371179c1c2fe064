"""The task: which images the network sees, what it learns from them, how it is used and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms.v2 import RandomCrop
from typing_extensions import override

from restore.core import Batch, EvaluationProtocol, Networks, Phase, Task, Tiling, TrainStep, as_dataset
from restore.plugins.common.images.splits import split_images
from restore.plugins.common.metrics import PSNR
from restore_your_net.network import YourNetNetwork
from restore_your_net.settings import YourNetSettings


def damage(image: Tensor) -> dict[str, Tensor]:
    """Make a sample of an image (3, H, W) from 0 to 255; change here what your model repairs."""
    target = image / 255
    return {"input": target**2.2, "target": target}


class YourNetTask(Task[YourNetSettings]):
    """Brighten dark photographs."""

    def networks(self) -> dict[str, nn.Module]:
        """Build the networks that prediction needs; a weights file stores them."""
        return {"network": YourNetNetwork(self.settings.model.channels)}

    def phases(self) -> Sequence[Phase]:
        """Return the phases of a run. This one keeps the weights with the highest PSNR."""
        return [Phase("train", self.settings.epochs, {"network": self.settings.optimizer}, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> Any:
        """Return any map-style dataset of torch; its samples are tensors by name."""
        crop = RandomCrop(64, pad_if_needed=True)
        images = split_images(split, self.settings)
        return as_dataset(images, transform=lambda image: damage(crop(image) if split == "train" else image))

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one step: name an optimizer, and a function that calls the networks and returns named losses."""
        step.optimize("network", lambda nets: {"l1": F.l1_loss(nets.network(batch["input"]), batch["target"])})

    @property
    def tiling(self) -> Tiling:
        """Declare how many pixels a pixel sees to each side: here none. Without this, tiles are cross-faded."""
        return Tiling("exact", halo=0)

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Restore images (B, 3, H, W) in [0, 1]."""
        return {"output": networks.network(batch["input"]).clamp(0, 1)}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return the metrics; the convention of each is printed with every number."""
        return {"rgb": {"psnr": PSNR()}}
