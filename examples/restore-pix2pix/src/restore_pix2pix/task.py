"""The task: a generator against a discriminator that sees the input too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core import Batch, ImageDataset, Networks, Phase, RunSettings, Task, Terms, Tiling, TrainStep, as_dataset
from restore.core.contracts import tiling_of
from restore.plugins.common.adversarial.losses import Vanilla
from restore.plugins.common.images.pairing import pair_folders
from restore.plugins.common.losses import L1
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.super_resolution.dataset import super_resolution_images
from restore_pix2pix.networks import UNetGenerator, build_discriminator
from restore_pix2pix.settings import Pix2PixSettings

GAN = Vanilla()


def remove_color(sample: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a sample of colorization: the mean of the target's channels, and the target."""
    return {**sample, "input": sample["target"].mean(0, keepdim=True).expand(3, -1, -1)}


def score(nets: Networks, batch: Batch, fake: Tensor) -> list[Tensor]:
    """Return the scores of real and of generated pairs, normalized together in one call."""
    pairs = [torch.cat([batch["input"], images], dim=1) for images in (batch["target"], fake)]
    return list(nets.discriminator(torch.cat(pairs)).chunk(2))


class Pix2Pix(Task[Pix2PixSettings]):
    """Image-to-image translation."""

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run of a second, for tests."""
        small = {"model": {"channels": 2, "depth": 3}, "discriminator_channels": 2, "crop_size": 64}
        return super().tiny_settings(**{**small, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Build the generator."""
        return {"generator": UNetGenerator(**self.settings.model.model_dump())}

    def training_networks(self) -> dict[str, nn.Module]:
        """Build the discriminator."""
        return {"discriminator": build_discriminator(self.settings.discriminator_channels)}

    def phases(self) -> Sequence[Phase]:
        """Return one phase. Without a monitor the last weights count: PSNR does not measure realism."""
        optimizers = dict.fromkeys(("discriminator", "generator"), self.settings.optimizer)
        return [Phase("train", self.settings.epochs, optimizers)]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        pairs = super_resolution_images(split, self.settings, scale=1, crop=self.settings.crop_size)
        folder = (self.settings.val_data if split == "validation" else None) or self.settings.data
        return pairs if folder and pair_folders(folder) else as_dataset(pairs, transform=remove_color)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do a step of the discriminator, then one of the generator (section 3.3)."""
        step.optimize("discriminator", partial(self.discriminator_loss, batch))
        step.optimize("generator", partial(self.generator_loss, batch))

    def discriminator_loss(self, batch: Batch, nets: Networks) -> Terms:
        """Return the discriminator's loss; it is halved, so that the discriminator learns more slowly."""
        with torch.no_grad():
            fake = nets.generator(batch["input"])
        return {name: term / 2 for name, term in GAN.discriminator(*score(nets, batch, fake)).items()}

    def generator_loss(self, batch: Batch, nets: Networks) -> Terms:
        """Return the adversarial loss and the absolute error (equation 4)."""
        fake = nets.generator(batch["input"])
        return {**GAN.generator(score(nets, batch, fake)[1]), **L1(self.settings.l1)(fake, batch)}

    @property
    def tiling(self) -> Tiling:
        """Declare how large images may be cut into tiles."""
        return tiling_of(self.networks()["generator"])

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Translate images (B, 3, H, W) in [0, 1]."""
        return {"output": networks.generator(batch["input"]).clamp(0, 1)}

    def protocols(self) -> dict[str, dict[str, Any]]:
        """Return PSNR and SSIM: neither measures realism, but they show that a run learns."""
        return {"rgb8": {"psnr": PSNR(Comparison("rgb8")), "ssim": SSIM(Comparison("rgb8"))}}
