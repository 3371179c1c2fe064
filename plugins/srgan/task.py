"""SRGAN: pretraining with a pixel loss, then adversarial training (Ledig et al., 2017)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore import registry
from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import UsageError
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import RunSettings, Settings
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.adversarial.diagnostics import LABELED, Remedies, gan_health, gan_measures
from restore.plugins.common.adversarial.losses import (
    AdversarialLoss,
    Hinge,
    LeastSquares,
    Relativistic,
    Vanilla,
    real_gradient_penalty,
)
from restore.plugins.common.architectures import build_network, find_tiling
from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.weights import feature_network
from restore.plugins.common.quality.spectrum import LogSpectralDistance
from restore.plugins.common.super_resolution.chosen import open_evaluation_pairs, training_pairs
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore.plugins.common.super_resolution.settings import DegradedEvaluateOptions
from restore.plugins.common.weighted_losses import WeightedLosses, join_terms
from restore.plugins.srgan.settings import AdversarialSettings, SRGANSettings

MIXING = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
"""Layers that make the output of an image depend on the others of its batch."""
_WON = (
    "the pixel loss (--adversarial.pixel-weight) still keeps the images intact; to help the generator, lower "
    "--adversarial.discriminator.lr, {label}or pretrain longer"
)
_REMEDIES = Remedies(
    discriminator_won=_WON.format(label=""),
    collapsed="lower --adversarial.weight, or raise --adversarial.pixel-weight",
    checkerboard="pretrain longer, or lower --adversarial.weight",
    blurred="train longer, or raise --perceptual.weight or --adversarial.weight",
)
_WITH_LABELS = replace(_REMEDIES, discriminator_won=_WON.format(label="set --adversarial.real-label 0.9, "))
"""Remedies for losses with a label for real images."""


class SRGAN(Task[SRGANSettings, Settings, DegradedEvaluateOptions]):
    """Photo-realistic super-resolution with a GAN (Ledig et al., 2017).

    Phase ``pretrain`` trains the generator with the pixel loss alone; PSNR selects its best weights. Phase
    ``adversarial`` trains generator and discriminator with the adversarial, the perceptual and the pixel loss. The
    paper has no pixel loss in this phase. Without it nothing keeps colors in place, and a few steps can ruin a
    generator that was trained briefly.
    """

    channels_last: ClassVar[bool] = True
    equivariant: ClassVar[bool] = True

    def __init__(self, settings: SRGANSettings) -> None:
        super().__init__(settings)
        self.gan_loss = adversarial_loss(settings.adversarial)
        self.measured_with = settings.degradation

    @override
    def with_options(self, *, predict: Settings | None = None, evaluate: DegradedEvaluateOptions | None = None) -> Self:
        other = super().with_options(predict=predict, evaluate=evaluate)
        other.measured_with = self.measured_with if evaluate is None else evaluate.degradation
        return other

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        small = {
            "model": {"scale": 2, "channels": 4, "blocks": 1},
            "discriminator": {"channels": 2, "hidden": 4},
            "perceptual": {"network": "vgg16", "layers": {"relu1_2": 1.0}, "weights": "random"},
            "crop_size": 16,
        }
        return super().tiny_settings(**{**small, **changes})

    @cached_property
    def loss(self) -> WeightedLosses:
        """The loss of pixels."""
        return WeightedLosses(self.settings.loss)

    # --- networks ---------------------------------------------------------------------------------------------

    @override
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": build_network(self.settings.model, scale=self.settings.model.scale)}

    @override
    def training_networks(self) -> dict[str, nn.Module]:
        crop = self.settings.crop_size
        network = build_network(self.settings.discriminator, input_size=(crop, crop), crop_size=crop)
        if self.settings.adversarial.r1 and any(isinstance(module, MIXING) for module in network.modules()):
            raise UsageError(
                f"--adversarial.r1 {self.settings.adversarial.r1:g}: {self.settings.discriminator.full_name} has batch "
                "normalization, so an image's score depends on the others; use --discriminator.architecture "
                "srgan/unet-discriminator"
            )
        return {"discriminator": network}

    @override
    def frozen_networks(self) -> dict[str, nn.Module]:
        features = {"features": feature_network(self.settings.perceptual)} if self.settings.looks_at_features else {}
        return {**features, **self.loss.networks()}

    # --- training ---------------------------------------------------------------------------------------------

    @override
    def phases(self) -> Sequence[Phase]:
        pretrain, adversarial_epochs = self.settings.split()
        adversarial = self.settings.adversarial
        return (
            Phase("pretrain", pretrain, {"generator": self.settings.pretrain.optimizer}, monitor="psnr"),
            Phase(  # without a monitor: PSNR falls here by design, so the last weights are the best
                "adversarial",
                adversarial_epochs,
                {"discriminator": adversarial.discriminator, "generator": adversarial.generator},
            ),
        )

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        return training_pairs(
            split,
            self.settings,
            self.settings.dataset,
            scale=self.settings.model.scale,
            crop_size=self.settings.crop_size,
            degradation=self.settings.degradation,
        )

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        if step.phase == "pretrain":
            step.optimize("generator", lambda nets: self.loss(nets.generator(batch["input"]), batch))
        else:
            step.optimize("discriminator", partial(self.discriminator_loss, batch, step))
            step.optimize("generator", partial(self.generator_loss, batch, step))

    def discriminator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """Return the discriminator's loss terms."""
        adversarial = self.settings.adversarial
        penalized = bool(adversarial.r1) and step.phase_step % adversarial.r1_every == 0
        real = batch["target"].detach().requires_grad_(penalized)
        with torch.no_grad():
            fake = nets.generator(batch["input"])
        real_scores, fake_scores = scores_of(nets.discriminator, real, fake)
        step.log(**self.gan_loss.score_stats(real_scores, fake_scores))
        terms = self.gan_loss.discriminator(real_scores, fake_scores)
        if penalized:
            weight = adversarial.r1 * adversarial.r1_every
            terms = {**terms, "r1": weight * real_gradient_penalty(real_scores, real)}
        return terms

    def generator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """Return the generator's loss terms; the scores come from the updated discriminator."""
        fake = nets.generator(batch["input"])
        real_scores, scores = scores_of(nets.discriminator, batch["target"], fake)
        measures = gan_measures(fake, batch, period=self.settings.model.scale)
        step.log(d_fake_after=self.gan_loss.score_stats(real_scores, scores)["d_fake"], **measures)
        weight = self.settings.adversarial.pixel_weight
        pixels = {name: weight * value for name, value in self.loss(fake, batch).items()}
        ramp = self.settings.adversarial.ramp
        risen = min(1.0, step.progress / ramp) if ramp else 1.0
        pushed = {name: risen * value for name, value in self.gan_loss.generator(scores, real_scores).items()}
        terms = join_terms(pixels, pushed, "gan")
        if "features" in nets:
            seen = Perceptual.from_settings(self.settings.perceptual, nets.features)(fake, batch)
            terms = join_terms(terms, seen, "features")
        return terms

    @override
    def health(self, numbers: Mapping[str, float]) -> str | None:
        labeled = self.settings.adversarial.kind in LABELED
        return gan_health(numbers, _WITH_LABELS if labeled else _REMEDIES)

    # --- using and measuring ----------------------------------------------------------------------------------

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"output": ImageSpec(scale=self.settings.model.scale)}

    @cached_property
    @override
    def tiling(self) -> Tiling:
        return find_tiling(self.settings.model, scale=self.settings.model.scale)

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return ``output`` (B, 3, H * scale, W * scale) in [0, 1] for ``input`` (B, 3, H, W) in [0, 1]."""
        return {"output": networks.generator(batch["input"]).clamp(0, 1)}

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return super_resolution_protocols(self.settings.model.scale, self.measured_with)

    @property
    @override
    def default_protocol(self) -> str:
        return "y8-border"

    @property
    @override
    def training_protocol(self) -> EvaluationProtocol:
        """The default protocol, and what an adversarial phase is for: detail, which PSNR and SSIM do not reward."""
        degraded = str(self.measured_with) if self.measured_with.active else ""
        detail = LogSpectralDistance(math.ceil(self.settings.model.scale), degraded)
        return {**super().training_protocol, detail.name: detail}

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        options = self.evaluate_options
        return open_evaluation_pairs(folder, options.dataset, self.settings.model.scale, options.degradation)

    @override
    def baselines(self) -> Mapping[str, Method]:
        bicubic = registry.get("tasks", "classic/bicubic")
        return {"bicubic": bicubic(bicubic.settings_type(model={"scale": self.settings.model.scale}))}


def adversarial_loss(settings: AdversarialSettings) -> AdversarialLoss:
    """Return the adversarial loss that the settings describe."""
    if settings.kind == "least-squares":
        return LeastSquares(settings.weight, settings.real_label)
    loss = Hinge(settings.weight) if settings.kind == "hinge" else Vanilla(settings.weight, settings.real_label)
    if settings.relativistic == "no":
        return loss
    return Relativistic(settings.weight, loss, average=settings.relativistic == "average")


def scores_of(discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores (B, …) of real and of generated images from one forward pass.

    Both losses score both kinds in one batch. In batches of their own, each kind would be normalized with its own
    statistics, which hides differences between them.
    """
    real_scores, fake_scores = discriminator(torch.cat([real, fake])).chunk(2)
    return real_scores, fake_scores
