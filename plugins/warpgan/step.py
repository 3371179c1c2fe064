"""The losses of one training step: patches by kind of image, whole images by identity.

A patch has one of three classes, the kinds of images. A whole image has one of three classes per identity, one for each
kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.networks import Networks
from restore.core.training_step import Terms
from restore.plugins.common.adversarial.diagnostics import gan_measures
from restore.plugins.warpgan import control_points
from restore.plugins.warpgan.networks.discriminator import KINDS, DiscriminatorOutput, predict_identity
from restore.plugins.warpgan.networks.generator import Drawing
from restore.plugins.warpgan.settings import LossSettings

CARICATURE, PHOTOGRAPH, GENERATED = range(3)
"""Kinds of images; classes of patches."""


def patch_loss(logits: Tensor, kinds: Tensor) -> Tensor:
    """Return the mean cross-entropy of patch logits (B, 3, h, w) for the kinds (B,) of the images.

    Shi et al., 2019, equations 4 and 5: the discriminator learns the true kind, the generator aims at `CARICATURE`.
    """
    # F.cross_entropy has no deterministic CUDA kernel for inputs with spatial axes
    asked = F.one_hot(kinds, logits.shape[1])[:, :, None, None]
    return -(logits.float().log_softmax(dim=1) * asked).sum(dim=1).mean()


def identity_loss(logits: Tensor, identities: Tensor, kinds: Tensor) -> Tensor:
    """Return the mean cross-entropy of image logits (B, 3 M) for M identities; class ``identity + M * kind``.

    Shi et al., 2019, equations 2 and 3: the generator aims at the `CARICATURE` class of the identity.
    """
    return F.cross_entropy(logits.float(), identities + kinds * (logits.shape[1] // 3))


def kinds_of(kind: int, like: Tensor) -> Tensor:
    """Return one kind for each image of a batch: (B,), int64."""
    return torch.full((len(like),), kind, device=like.device)


def texture_error(drawn: Tensor, image: Tensor) -> Tensor:
    """Return the mean absolute error (B,) of images (B, C, H, W) redrawn in their own style; 1 is white.

    Shi et al., 2019, equation 6: identity mapping, before the warp.
    """
    return (drawn - image).abs().flatten(1).mean(1)


@dataclass(frozen=True)
class WarpGANStep:
    """One batch, with the loss functions of both networks."""

    photograph: Tensor
    """(B, 3, size, size) in [-1, 1]."""
    caricature: Tensor
    """Of the same people; shape and range as the photographs."""
    identity: Tensor
    """Index of each person (B,)."""
    style: Tensor | None
    """Style codes (B, style) for the photographs; None in pretraining, which has no generator."""
    weights: LossSettings
    log: Callable[..., None]
    """Logs values that are not losses."""

    def pretraining_loss(self, nets: Networks) -> Terms:
        """Return the discriminator's loss terms on real images."""
        output: DiscriminatorOutput = nets.discriminator(torch.cat([self.caricature, self.photograph]))
        kinds = torch.cat([kinds_of(kind, self.identity) for kind in (CARICATURE, PHOTOGRAPH)])
        identities = self.identity.repeat(2)
        classes = identities + kinds * (output.identities.shape[1] // KINDS)
        self.log(d_right=(output.identities.argmax(1) == classes).float().mean())
        return self._terms(output, identities, kinds)

    def discriminator_loss(self, nets: Networks) -> Terms:
        """Return the discriminator's loss terms on real and generated images."""
        with torch.no_grad():
            generated = nets.generator(self.photograph, self.style).image
        output: DiscriminatorOutput = nets.discriminator(torch.cat([self.caricature, self.photograph, generated]))
        kinds = torch.cat([kinds_of(kind, self.identity) for kind in (CARICATURE, PHOTOGRAPH, GENERATED)])
        real = 1 - output.patches.detach().softmax(1)[:, GENERATED].mean((1, 2))
        self.log(d_real=real[: -len(generated)].mean(), d_fake=real[-len(generated) :].mean())
        return self._terms(output, self.identity.repeat(3), kinds)

    def generator_loss(self, nets: Networks) -> Terms:
        """Return the generator's loss terms: adversarial, texture and warp."""
        everything = torch.cat([self.photograph, self.caricature])
        drawing: Drawing = nets.generator(everything, self.style, reconstruct=True)
        output: DiscriminatorOutput = nets.discriminator(drawing.image)
        assert drawing.reconstructed is not None
        photographs, caricatures = texture_error(drawing.reconstructed, everything).chunk(2)
        terms = {
            **self._terms(output, self.identity, kinds_of(CARICATURE, self.identity)),
            "photograph_texture": self.weights.photograph_texture * photographs.mean(),
            "caricature_texture": self.weights.caricature_texture * caricatures.mean(),
            **self._warp_terms(drawing),
        }
        self.log(
            **gan_measures((drawing.rendered + 1) / 2, {"target": (self.caricature + 1) / 2}),
            d_right=(predict_identity(output) == self.identity).float().mean(),
        )
        return terms

    def _terms(self, output: DiscriminatorOutput, identities: Tensor, kinds: Tensor) -> Terms:
        """Return the patch and the identity loss of images for the given classes."""
        return {
            "patch": self.weights.patch * patch_loss(output.patches, kinds),
            "identity": self.weights.identity * identity_loss(output.identities, identities, kinds),
        }

    def _warp_terms(self, drawing: Drawing) -> Terms:
        """Return the penalties on control points that have a weight, and log statistics of the warp."""
        height, width = self.photograph.shape[-2:]
        placed = drawing.points, drawing.displacements
        measured = control_points.statistics(*placed, height, width)
        self.log(**{f"warp_{name}": numbers.mean() for name, numbers in measured.items()})
        terms = {}
        if self.weights.outside:
            terms["outside"] = (
                self.weights.outside * control_points.measure_outside(drawing.points, height, width).mean()
            )
        if self.weights.folds:
            terms["folds"] = self.weights.folds * control_points.folds(*placed, height, width).mean()
        return terms
