"""Filling holes by a generator that learns from pixels and then trains against a discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from restore.core.dataset import Batch, ImageDataset
from restore.core.networks import Networks
from restore.core.settings import RunSettings
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.adversarial.diagnostics import LABELED, Remedies, gan_health, gan_measures
from restore.plugins.common.inpainting.dataset import inpainting_images
from restore.plugins.common.inpainting.losses import composed
from restore.plugins.common.inpainting.task import InpaintingTask
from restore.plugins.common.perceptual.settings import layers_in_use
from restore.plugins.common.perceptual.weights import feature_network
from restore.plugins.inpaint_gan.discriminator_input import DiscriminatorInput, discriminator_terms, gan_loss
from restore.plugins.inpaint_gan.feature_matching import FeatureMatching
from restore.plugins.inpaint_gan.losses import reconstruction, seen_features
from restore.plugins.inpaint_gan.networks import discriminator_of, drawn, generator_of
from restore.plugins.inpaint_gan.progressive import PRETRAIN, phase_size, progressive_phases, resize_dataset
from restore.plugins.inpaint_gan.settings import InpaintGANSettings

WINDOW = 256
"""Side in pixels at which a generator is used of which nobody said at which it was trained."""

_REMEDIES = Remedies(
    vanished="raise its learning rate (lr), or choose another loss with --adversarial.kind least-squares or hinge",
    collapsed="lower --adversarial.weight, raise --pixel.hole, or raise --batch-size",
    checkerboard="train longer, lower --adversarial.weight, or give --pixel.variation 0.1",
    blurred="train longer (--epochs), raise --adversarial.weight, or give --perceptual.weight 0.05",
    gap="train longer, or on masks of this kind alone (--masks.kinds)",
)
_WITH_LABELS = replace(
    _REMEDIES,
    discriminator_won=("lower --adversarial.discriminator.lr, set --adversarial.real-label 0.9, or pretrain longer"),
)
"""Of losses whose discriminator is told labels."""


class InpaintGAN(InpaintingTask[InpaintGANSettings]):
    """Hole filling by an adversarial network (Isola et al., 2017; Yu et al., 2018 and 2019).

    The generator is pretrained by pixels (``pretrain``, judged by the PSNR inside the hole), plays at smaller sizes
    where there are any (``64``, …) and then at the size of the crops (``adversarial``). What is judged is what a person
    gets to see: the generator's image in the hole, the known pixels everywhere else.
    """

    channels_last: ClassVar[bool] = True
    no_compile: ClassVar[frozenset[str]] = frozenset({"discriminator"})

    def __init__(self, settings: InpaintGANSettings) -> None:
        super().__init__(settings)
        self.gan_loss = gan_loss(settings.adversarial)
        self.discriminate = DiscriminatorInput(settings.discriminator)

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Few channels and small crops."""
        small = {
            "model": {"channels": 4, "depth": 3, "window": 32},
            "discriminator": {"channels": 4, "layers": 2},
            "crop_size": 32,
        }
        return super().tiny_settings(**{**small, **changes})

    # --- networks ---------------------------------------------------------------------------------------------

    def networks(self) -> dict[str, nn.Module]:
        """The generator."""
        return {"generator": generator_of(self.settings.model)}

    def training_networks(self) -> dict[str, nn.Module]:
        """The discriminator."""
        return {"discriminator": discriminator_of(self.settings.discriminator, self.settings.crop_size)}

    def frozen_networks(self) -> dict[str, nn.Module]:
        """The network whose features are compared, if any are."""
        if not self.settings.looks_at_features:
            return {}
        perceptual, style = self.settings.perceptual, self.settings.style
        return {"features": feature_network(perceptual, layers_in_use(perceptual, style))}

    # --- training ---------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """Pretraining, and the adversarial phase at each size."""
        return progressive_phases(self.settings)

    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        """Crops at the size of the phase to train on; squares of the size of the crops to validate on."""
        crop_size = self.settings.crop_size
        chosen = self.settings
        images = inpainting_images(split, chosen, chosen.masks, crop_size, window=crop_size, augment=chosen.augment)
        return resize_dataset(images, phase_size(phase, self.settings), crop_size) if split == "train" else images

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """One step of the generator alone, or one of the discriminator and then, mostly, one of the generator."""
        if step.phase == PRETRAIN:
            step.optimize("generator", partial(self.pretrain_loss, batch))
            return
        step.optimize("discriminator", partial(self.discriminator_loss, batch, step))
        if step.run_step % self.settings.adversarial.generator_every == 0:
            step.optimize("generator", partial(self.generator_loss, batch, step))

    def pretrain_loss(self, batch: Batch, nets: Networks) -> Terms:
        """The generator's loss of pixels alone."""
        return reconstruction(self.settings.pixel, self._stages(batch, nets), batch)

    def _stages(self, batch: Batch, nets: Networks) -> list[Tensor]:
        return drawn(self.settings.model, nets.generator, batch["input"], batch["mask"])

    def discriminator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """The discriminator's loss."""
        with torch.no_grad():
            fake = composed(self._stages(batch, nets)[-1], batch)
        discriminate = partial(self.discriminate, nets.discriminator, batch)
        terms, stats = discriminator_terms(self.gan_loss, discriminate, batch["target"], fake)
        step.log(**stats)
        return terms

    def generator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """The generator's loss."""
        stages = self._stages(batch, nets)
        measures = gan_measures(stages[-1], batch)
        if step.progress < 0.5:  # sooner, what is blurred is only young
            del measures["sharpness"]
        step.log(**measures)
        filled, matching = composed(stages[-1], batch), self.settings.adversarial.feature_matching
        if matching or self.settings.discriminator.norm == "batch":
            real, fake = self.discriminate(nets.discriminator, batch, batch["target"], filled)
            matched = FeatureMatching(matching)(fake.features, real.features) if matching else {}
        else:  # it judges samples one by one, so the real ones need not be there
            (fake,), matched = self.discriminate(nets.discriminator, batch, filled), {}
        terms = {**reconstruction(self.settings.pixel, stages, batch), **self.gan_loss.generator(fake), **matched}
        if "features" in nets:
            terms |= seen_features(self.settings, nets.features, stages[-1], batch)
        return terms

    def health(self, numbers: Mapping[str, float]) -> str | None:
        """What goes wrong in adversarial training; see `gan_health`."""
        labeled = self.settings.adversarial.kind in LABELED
        return gan_health(numbers, _WITH_LABELS if labeled else _REMEDIES)

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def window(self) -> int:
        """The size that it was trained at."""
        return self.settings.model.window or WINDOW

    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        """The finest image (B, 3, H, W) in [0, 1]."""
        return drawn(self.settings.model, networks.generator, image, mask)[-1]
