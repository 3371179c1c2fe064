"""LBAM: inpainting with learnable bidirectional attention maps (Xie et al., ICCV 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset
from restore.core.networks import Networks
from restore.core.settings import RunSettings
from restore.core.training_step import Phase, Terms, TrainStep
from restore.plugins.common.adversarial.diagnostics import Remedies, gan_health, gan_measures
from restore.plugins.common.adversarial.losses import Wasserstein
from restore.plugins.common.architectures import build_network
from restore.plugins.common.images.augment import recolor
from restore.plugins.common.inpainting.chosen import training_images
from restore.plugins.common.inpainting.task import InpaintingTask, list_stages
from restore.plugins.common.perceptual.settings import layers_in_use
from restore.plugins.common.perceptual.vgg import VGGFeatures
from restore.plugins.common.perceptual.weights import feature_network
from restore.plugins.common.weighted_losses import WeightedLosses, join_terms
from restore.plugins.lbam.losses import CompositeLoss, wrap_features
from restore.plugins.lbam.settings import PUBLISHED_CROP, LBAMSettings

_REMEDIES = Remedies(
    exploded="lower its learning rate (lr), raise --adversarial.penalty, or clip the gradient (clip_norm)",
    vanished="raise its learning rate (lr)",
    collapsed="lower --adversarial.weight, weight the hole more (--loss masked-l1,hole=12), or raise --batch-size",
    checkerboard="train longer, lower --adversarial.weight, or set --total-variation 0.1",
)


class LBAM(InpaintingTask[LBAMSettings]):
    """Inpainting with a U-Net whose attention maps are computed from the mask, trained against a Wasserstein critic.

    Phase ``pretrain`` is not in the paper. It trains with the pixel loss alone, which takes a fraction of the time of a
    step with all losses; the PSNR inside the hole selects its best weights. Phase ``adversarial`` is the published
    training.
    """

    no_compile: ClassVar[frozenset[str]] = frozenset({"discriminator"})

    def __init__(self, settings: LBAMSettings) -> None:
        super().__init__(settings)
        self.gan_loss = Wasserstein(settings.adversarial.weight, settings.adversarial.penalty)

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        small = {
            "model": {"channels": 1, "window": 128},
            "discriminator": {"channels": 1},
            "perceptual": {"layers": {"relu1_1": 1.0}, "weights": "random", "window": 16},
            "style": {"layers": {"relu1_1": 1.0}},
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
        crop = self.settings.crop_size
        return {"discriminator": build_network(self.settings.discriminator, input_size=(crop, crop), crop_size=crop)}

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
        pretrain, adversarial_epochs = self.settings.split()
        adversarial = self.settings.adversarial
        first = Phase("pretrain", pretrain, {"generator": self.settings.pretrain.optimizer}, monitor="masked-psnr")
        second = Phase(
            "adversarial",
            adversarial_epochs,
            {"discriminator": adversarial.discriminator, "generator": adversarial.generator},
        )
        return (first, second) if pretrain else (second,)

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        chosen = self.settings
        return training_images(split, chosen, chosen.dataset, chosen.masks, chosen.crop_size, chosen.augment)

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        if self.settings.augment.recolor:
            batch = {**batch, **recolor({name: batch[name] for name in ("input", "target")})}
        if step.phase == "pretrain":
            step.optimize("generator", partial(self.pretrain_loss, batch))
        else:
            step.optimize("discriminator", partial(self.discriminator_loss, batch, step))
            step.optimize("generator", partial(self.generator_loss, batch, step))

    def pretrain_loss(self, batch: Batch, nets: Networks) -> Terms:
        """Return the generator's loss terms in pretraining."""
        return self.loss(self._fill(batch, nets), batch)

    def _fill(self, batch: Batch, nets: Networks) -> Tensor:
        return list_stages(nets.generator(batch["input"], batch["mask"]))[-1]

    def discriminator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """Return the discriminator's loss terms. One call scores real, generated and, for the penalty, mixed images."""
        with torch.no_grad():
            fake = self._fill(batch, nets)
        real, scores = batch["target"], list[Tensor]()

        def scores_of(*mixed: Tensor) -> Tensor:
            images, holes = [real, fake, *mixed], [batch["mask"]] * (2 + len(mixed))
            scores.extend(average_scores(nets.discriminator(torch.cat(images), torch.cat(holes))).chunk(len(images)))
            return scores[-1]

        penalty = self.gan_loss.penalty(scores_of, real, fake)
        if not penalty:
            scores_of()
        step.log(score_real=scores[0], score_fake=scores[1])
        return {**self.gan_loss.discriminator(scores[0], scores[1]), **penalty}

    def generator_loss(self, batch: Batch, step: TrainStep, nets: Networks) -> Terms:
        """Return the generator's loss terms; the scores come from the updated discriminator."""
        filled = self._fill(batch, nets)
        step.log(**gan_measures(filled, batch))
        features = None
        if "features" in nets:
            network = cast(VGGFeatures, nets.features)
            features = wrap_features(network, normalize=self.settings.perceptual.normalize)
        scores = average_scores(nets.discriminator(filled, batch["mask"]))
        terms = CompositeLoss(self.settings, self.loss, features)(filled, batch)
        return join_terms(terms, self.gan_loss.generator(scores), "gan")

    @override
    def health(self, numbers: Mapping[str, float]) -> str | None:
        return gan_health(numbers, _REMEDIES)

    # --- using ------------------------------------------------------------------------------------------------

    @property
    @override
    def window(self) -> int:
        return self.settings.model.window or PUBLISHED_CROP

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        return list_stages(networks.generator(image, mask))[-1]


def average_scores(output: Tensor | Sequence[Tensor]) -> Tensor:
    """Return the score (B, 1) of each image: the mean of a discriminator's maps, each of which has the same weight."""
    maps = [output] if isinstance(output, Tensor) else output
    return torch.stack([scores.flatten(1).mean(1, keepdim=True) for scores in maps]).mean(0)
