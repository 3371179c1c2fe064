"""Inpainting with a generator that is pretrained with the pixel loss and then trained against a discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore import registry
from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import UsageError
from restore.core.networks import Networks
from restore.core.settings import RunSettings
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.adversarial.diagnostics import LABELED, Remedies, gan_health, gan_measures
from restore.plugins.common.architectures import build_network
from restore.plugins.common.inpainting.chosen import training_images
from restore.plugins.common.inpainting.losses import compose
from restore.plugins.common.inpainting.task import InpaintingTask, list_stages
from restore.plugins.common.perceptual.settings import layers_in_use
from restore.plugins.common.perceptual.weights import feature_network
from restore.plugins.common.weighted_losses import WeightedLosses, join_terms
from restore.plugins.inpaint_gan.discriminator_input import DiscriminatorInput, discriminator_terms, gan_loss
from restore.plugins.inpaint_gan.feature_matching import FeatureMatching
from restore.plugins.inpaint_gan.losses import compute_feature_terms, reconstruction
from restore.plugins.inpaint_gan.progressive import PRETRAIN, phase_size, progressive_phases, resize_dataset
from restore.plugins.inpaint_gan.settings import InpaintGANSettings

WINDOW = 256
"""Largest side in pixels that a generator processes at once if its training size is unknown."""

_REMEDIES = Remedies(
    vanished="raise its learning rate (lr), or choose another loss with --adversarial.kind least-squares or hinge",
    collapsed="lower --adversarial.weight, weight the hole more (--loss masked-l1,hole=12), or raise --batch-size",
    checkerboard="train longer, lower --adversarial.weight, or add --loss masked-total-variation,weight=0.1",
    blurred="train longer (--epochs), raise --adversarial.weight, or give --perceptual.weight 0.05",
    gap="train longer, or on masks of this kind alone (--masks.kinds)",
)
_WITH_LABELS = replace(
    _REMEDIES,
    discriminator_won=("lower --adversarial.discriminator.lr, set --adversarial.real-label 0.9, or pretrain longer"),
)
"""Remedies for losses with a label for real images."""


class InpaintGAN(InpaintingTask[InpaintGANSettings]):
    """Inpainting with a GAN (Isola et al., 2017; Yu et al., 2018 and 2019).

    Phase ``pretrain`` trains the generator with the pixel loss; the PSNR inside the hole selects its best weights.
    Adversarial phases at smaller image sizes follow, if there are any (``64``, …), and then the one at the size of the
    crops (``adversarial``). The discriminator sees the composite image: the generator's output inside the hole, the
    known pixels outside it.
    """

    channels_last: ClassVar[bool] = True
    no_compile: ClassVar[frozenset[str]] = frozenset({"discriminator"})

    def __init__(self, settings: InpaintGANSettings) -> None:
        super().__init__(settings)
        self.gan_loss = gan_loss(settings.adversarial)
        role = registry.entry("architectures", settings.discriminator.architecture).spec.role  # type: ignore[attr-defined]
        self.discriminate = DiscriminatorInput(
            masks=role == "inpainting-discriminator", features=settings.adversarial.feature_matching > 0
        )

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        small = {
            "model": {"channels": 4, "depth": 3, "window": 128},
            "discriminator": {"channels": 4, "layers": 2},
            "crop_size": 32,
        }
        return super().tiny_settings(**{**small, **changes})

    @cached_property
    def loss(self) -> WeightedLosses:
        """The loss of pixels."""
        return WeightedLosses(self.settings.loss)

    # --- networks ---------------------------------------------------------------------------------------------

    @override
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": build_network(self.settings.model)}

    @override
    def training_networks(self) -> dict[str, nn.Module]:
        """Build the discriminator. Raises UsageError if it has no features and the feature-matching loss needs them."""
        chosen, side = self.settings.discriminator, self.settings.smallest
        network = build_network(chosen, input_size=(side, side), crop_size=self.settings.crop_size)
        if self.discriminate.features and not getattr(network, "has_features", False):
            raise UsageError(
                f"--adversarial.feature-matching: {chosen.architecture} does not return its features; set it to 0, or "
                "choose another discriminator"
            )
        return {"discriminator": network}

    @override
    def frozen_networks(self) -> dict[str, nn.Module]:
        networks = self.loss.networks()
        if self.settings.looks_at_features:
            perceptual, style = self.settings.perceptual, self.settings.style
            networks["features"] = feature_network(perceptual, layers_in_use(perceptual, style))
        return networks

    # --- training ---------------------------------------------------------------------------------------------

    @override
    def phases(self) -> Sequence[Phase]:
        return progressive_phases(self.settings)

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        crop_size = self.settings.crop_size
        chosen = self.settings
        images = training_images(split, chosen, chosen.dataset, chosen.masks, crop_size, chosen.augment)
        return resize_dataset(images, phase_size(phase, self.settings), crop_size) if split == "train" else images

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        if step.phase == PRETRAIN:
            step.optimize("generator", partial(self.pretrain_loss, batch))
            return
        step.optimize("discriminator", partial(self.discriminator_loss, batch, step))
        if step.run_step % self.settings.adversarial.generator_every == 0:
            step.optimize("generator", partial(self.generator_loss, batch, step))

    def pretrain_loss(self, batch: Batch, nets: Networks) -> Terms:
        """Return the generator's loss terms in pretraining."""
        return reconstruction(self.loss, self.settings.coarse_weight, self._stages(batch, nets), batch)

    def _stages(self, batch: Batch, nets: Networks) -> list[Tensor]:
        return list_stages(nets.generator(batch["input"], batch["mask"]))

    def discriminator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """Return the discriminator's loss terms."""
        with torch.no_grad():
            fake = compose(self._stages(batch, nets)[-1], batch)
        discriminate = partial(self.discriminate, nets.discriminator, batch)
        terms, stats = discriminator_terms(self.gan_loss, discriminate, batch["target"], fake)
        step.log(**stats)
        return terms

    def generator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """Return the generator's loss terms; the scores come from the updated discriminator."""
        stages = self._stages(batch, nets)
        measures = gan_measures(stages[-1], batch)
        if step.progress < 0.5:  # before that, blur only means that training is at its beginning
            del measures["sharpness"]
        step.log(**measures)
        filled, matching = compose(stages[-1], batch), self.settings.adversarial.feature_matching
        if matching or getattr(self.settings.discriminator, "mixes_samples", True):
            real, fake = self.discriminate(nets.discriminator, batch, batch["target"], filled)
            matched = FeatureMatching(matching)(fake.features, real.features) if matching else {}
        else:  # the scores of a sample do not depend on other samples, so real images are not needed
            (fake,), matched = self.discriminate(nets.discriminator, batch, filled), {}
        terms = reconstruction(self.loss, self.settings.coarse_weight, stages, batch)
        terms = join_terms(terms, {**self.gan_loss.generator(fake), **matched}, "gan")
        if "features" in nets:
            terms = join_terms(
                terms, compute_feature_terms(self.settings, nets.features, stages[-1], batch), "features"
            )
        return terms

    @override
    def health(self, numbers: Mapping[str, float]) -> str | None:
        labeled = self.settings.adversarial.kind in LABELED
        return gan_health(numbers, _WITH_LABELS if labeled else _REMEDIES)

    # --- using ------------------------------------------------------------------------------------------------

    @property
    @override
    def window(self) -> int:
        return self.settings.model.window or WINDOW

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        return list_stages(networks.generator(image, mask))[-1]
