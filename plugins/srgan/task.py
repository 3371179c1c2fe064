"""SRGAN: pretraining by pixels, then adversarial training of generator and discriminator (Ledig et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore import registry
from restore.core.dataset import Batch, ImageDataset
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import RunSettings
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.adversarial.diagnostics import LABELED, Remedies, gan_health, gan_measures
from restore.plugins.common.adversarial.losses import AdversarialLoss, Hinge, LeastSquares, Vanilla
from restore.plugins.common.losses import L1, MSE, Charbonnier, PixelLoss
from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.weights import feature_network
from restore.plugins.common.super_resolution.dataset import evaluation_pairs, super_resolution_images
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore.plugins.srgan.discriminator import Discriminator
from restore.plugins.srgan.generators import Compact, MSRResNet, SRResNet
from restore.plugins.srgan.settings import AdversarialSettings, ModelSettings, SRGANSettings

PIXEL_LOSSES: Mapping[str, Callable[[float], PixelLoss]] = {"l1": L1, "mse": MSE, "charbonnier": Charbonnier}

_WON = (
    "images stay whole as long as --adversarial.pixel-weight holds them; to give the generator a chance, lower "
    "--adversarial.discriminator.lr, {label}or pretrain longer"
)
_REMEDIES = Remedies(
    discriminator_won=_WON.format(label=""),
    collapsed="lower --adversarial.weight, or raise --adversarial.pixel-weight",
    checkerboard="pretrain longer, or lower --adversarial.weight",
    blurred="train longer, or raise --perceptual.weight or --adversarial.weight",
)
_WITH_LABELS = replace(_REMEDIES, discriminator_won=_WON.format(label="set --adversarial.real-label 0.9, "))
"""Of losses whose discriminator is told labels."""


class SRGAN(Task[SRGANSettings]):
    """Photo-realistic super-resolution by an adversarial network.

    A generator is pretrained by pixels alone (``pretrain``, judged by PSNR) and then trains against a discriminator
    (``adversarial``), with a perceptual loss and a pixel loss beside. The pixel loss of the second phase is not in the
    paper: without it nothing holds colors in place, and few steps from a young generator are enough to ruin it.
    """

    channels_last: ClassVar[bool] = True

    def __init__(self, settings: SRGANSettings) -> None:
        super().__init__(settings)
        chosen = settings.adversarial
        self.pretrain_loss = PIXEL_LOSSES[settings.pretrain.loss](1.0)
        self.pixel_loss = PIXEL_LOSSES[chosen.pixel_loss](chosen.pixel_weight)
        self.gan_loss = adversarial_loss(chosen)

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """One residual block, a small opponent, and features of the first layers that VGG has."""
        small = {
            "model": {"scale": 2, "channels": 4, "blocks": 1},
            "discriminator": {"channels": 2, "hidden": 4},
            "perceptual": {"network": "vgg16", "layers": {"relu1_2": 1.0}, "weights": "random"},
            "crop_size": 16,
        }
        return super().tiny_settings(**{**small, **changes})

    # --- networks ---------------------------------------------------------------------------------------------

    def networks(self) -> dict[str, nn.Module]:
        """The generator."""
        return {"generator": generator(self.settings.model)}

    def training_networks(self) -> dict[str, nn.Module]:
        """The discriminator."""
        chosen = self.settings.discriminator
        return {
            "discriminator": Discriminator(
                self.settings.crop_size, chosen.channels, head=chosen.head, hidden=chosen.hidden
            )
        }

    def frozen_networks(self) -> dict[str, nn.Module]:
        """The network whose features the perceptual loss compares, if the run comes to such a loss."""
        return {"features": feature_network(self.settings.perceptual)} if self.settings.looks_at_features else {}

    # --- training ---------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """Pretraining, judged by PSNR, and the adversarial phase, whose last weights are its best: PSNR falls there by
        design."""
        pretrain, adversarial_epochs = self.settings.split()
        adversarial = self.settings.adversarial
        return (
            Phase("pretrain", pretrain, {"generator": self.settings.pretrain.optimizer}, monitor="psnr"),
            Phase(
                "adversarial",
                adversarial_epochs,
                {"discriminator": adversarial.discriminator, "generator": adversarial.generator},
            ),
        )

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        """Crops to train on, whole images to validate on."""
        return super_resolution_images(
            split, self.settings, scale=self.settings.model.scale, crop=self.settings.crop_size
        )

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """One step of the generator alone, or one of the discriminator and then one of the generator."""
        if step.phase == "pretrain":
            step.optimize("generator", lambda nets: self.pretrain_loss(nets.generator(batch["input"]), batch))
        else:
            step.optimize("discriminator", partial(self.discriminator_loss, batch, step))
            step.optimize("generator", partial(self.generator_loss, batch, step))

    def discriminator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """The discriminator's loss."""
        with torch.no_grad():
            fake = nets.generator(batch["input"])
        real_scores, fake_scores = scores_of(nets.discriminator, batch["target"], fake)
        step.log(**self.gan_loss.score_stats(real_scores, fake_scores))
        return self.gan_loss.discriminator(real_scores, fake_scores)

    def generator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """The generator's loss."""
        fake = nets.generator(batch["input"])
        real_scores, scores = scores_of(nets.discriminator, batch["target"], fake)
        measures = gan_measures(fake, batch, period=self.settings.model.scale)
        step.log(d_fake_after=self.gan_loss.score_stats(real_scores, scores)["d_fake"], **measures)
        terms = {**self.pixel_loss(fake, batch), **self.gan_loss.generator(scores)}
        if "features" in nets:
            terms |= Perceptual.from_settings(self.settings.perceptual, nets.features)(fake, batch)
        return terms

    def health(self, numbers: Mapping[str, float]) -> str | None:
        """What goes wrong in adversarial training, as when the discriminator has nothing left to learn; see
        `gan_health`."""
        labeled = self.settings.adversarial.kind in LABELED
        return gan_health(numbers, _WITH_LABELS if labeled else _REMEDIES)

    # --- using and measuring ----------------------------------------------------------------------------------

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """The upscaled image."""
        return {"output": ImageSpec(scale=self.settings.model.scale)}

    @property
    def tiling(self) -> Tiling:
        """Exact tiles: with the generator's receptive field around it, a tile equals that part of the whole."""
        with torch.device("meta"):  # as large as it is, without its numbers
            return Tiling("exact", halo=generator(self.settings.model).halo)

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """``output`` (B, 3, H x scale, W x scale) in [0, 1] for ``input`` (B, 3, H, W) in [0, 1]."""
        return {"output": networks.generator(batch["input"]).clamp(0, 1)}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Those of super-resolution."""
        return super_resolution_protocols(self.settings.model.scale)

    @property
    @override
    def default_protocol(self) -> str:
        return "y8-border"

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Whole images: those of a folder, else those that a run on the sample validates on."""
        return evaluation_pairs(folder, self.settings.model.scale)

    def baselines(self) -> Mapping[str, Method]:
        """Bicubic upscaling."""
        bicubic = registry.get("tasks", "classic/bicubic")
        return {"bicubic": bicubic(bicubic.settings_type(model={"scale": self.settings.model.scale}))}


def generator(settings: ModelSettings) -> SRResNet | MSRResNet | Compact:
    """The generator that settings describe."""
    if settings.architecture == "srresnet":
        return SRResNet(settings.scale, settings.channels, settings.blocks, settings.clamp)
    if settings.architecture == "compact":
        return Compact(settings.scale, settings.channels, settings.blocks)
    return MSRResNet(settings.scale, settings.channels, settings.blocks)


def adversarial_loss(settings: AdversarialSettings) -> AdversarialLoss:
    """The adversarial pair of losses that settings describe."""
    match settings.kind:
        case "vanilla":
            return Vanilla(settings.weight, settings.real_label)
        case "least-squares":
            return LeastSquares(settings.weight, settings.real_label)
        case "hinge":
            return Hinge(settings.weight)


def scores_of(discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (B, 1) of real and of generated images from one forward pass.

    Batch normalization of each kind by its own statistics would hide the differences between them in one loss and show
    them in the other, so both losses ask about both kinds together.
    """
    real_scores, fake_scores = discriminator(torch.cat([real, fake])).chunk(2)
    return real_scores, fake_scores
