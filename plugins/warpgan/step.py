"""One step of the game: what each turn asks of its network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from restore.core.steps import Modules, Terms
from restore.plugins.common.adversarial.diagnostics import game_measures
from restore.plugins.warpgan import control_points
from restore.plugins.warpgan.losses import (
    CARICATURE,
    GENERATED,
    PHOTOGRAPH,
    identity_loss,
    kinds_of,
    patch_loss,
    texture_error,
)
from restore.plugins.warpgan.metrics import person_of
from restore.plugins.warpgan.networks.discriminator import KINDS, Judgement
from restore.plugins.warpgan.networks.generator import Drawing
from restore.plugins.warpgan.settings import LossSettings


@dataclass(frozen=True)
class Round:
    """What both turns of a step have in common."""

    photograph: Tensor
    """(B, 3, size, size) in [-1, 1], as are the caricatures of the same people."""
    caricature: Tensor
    person: Tensor
    """(B,): their numbers."""
    style: Tensor | None
    """(B, style): what the photographs are drawn in; none while there is no generator in the game yet."""
    weights: LossSettings
    log: Callable[..., None]
    """Records numbers that are no loss."""

    def recognise(self, modules: Modules) -> Terms:
        """The discriminator's loss before there is anything generated."""
        judged: Judgement = modules.discriminator(torch.cat([self.caricature, self.photograph]))
        kinds = torch.cat([kinds_of(kind, self.person) for kind in (CARICATURE, PHOTOGRAPH)])
        people = self.person.repeat(2)
        classes = people + kinds * (judged.identities.shape[1] // KINDS)
        self.log(d_right=(judged.identities.argmax(1) == classes).float().mean())
        return self._terms(judged, people, kinds)

    def judge(self, modules: Modules) -> Terms:
        """The discriminator's loss: what kind each part of a picture is, and whose picture of what kind it is."""
        with torch.no_grad():
            generated = modules.generator(self.photograph, self.style).picture
        judged: Judgement = modules.discriminator(torch.cat([self.caricature, self.photograph, generated]))
        kinds = torch.cat([kinds_of(kind, self.person) for kind in (CARICATURE, PHOTOGRAPH, GENERATED)])
        real = 1 - judged.patches.detach().softmax(1)[:, GENERATED].mean((1, 2))
        self.log(d_real=real[: -len(generated)].mean(), d_fake=real[-len(generated) :].mean())
        return self._terms(judged, self.person.repeat(3), kinds)

    def draw(self, modules: Modules) -> Terms:
        """The generator's loss: to be taken for caricatures of the same people, and to redraw what is real."""
        everything = torch.cat([self.photograph, self.caricature])
        drawing: Drawing = modules.generator(everything, self.style, reconstruct=True)
        judged: Judgement = modules.discriminator(drawing.picture)
        assert drawing.reconstructed is not None
        photographs, caricatures = texture_error(drawing.reconstructed, everything).chunk(2)
        terms = {
            **self._terms(judged, self.person, kinds_of(CARICATURE, self.person)),
            "photograph_texture": self.weights.photograph_texture * photographs.mean(),
            "caricature_texture": self.weights.caricature_texture * caricatures.mean(),
            **self._warp_terms(drawing),
        }
        self.log(
            **game_measures((drawing.rendered + 1) / 2, {"target": (self.caricature + 1) / 2}),
            d_right=(person_of(judged) == self.person).float().mean(),
        )
        return terms

    def _terms(self, judged: Judgement, people: Tensor, kinds: Tensor) -> Terms:
        """Both games of one network: asked of pictures of people is that they are taken for kinds."""
        return {
            "patch": self.weights.patch * patch_loss(judged.patches, kinds),
            "identity": self.weights.identity * identity_loss(judged.identities, people, kinds),
        }

    def _warp_terms(self, drawing: Drawing) -> Terms:
        """What control points must not do, as far as it is forbidden; what they do is logged."""
        height, width = self.photograph.shape[-2:]
        placed = drawing.points, drawing.displacements
        measured = control_points.statistics(*placed, height, width)
        self.log(**{f"warp_{name}": numbers.mean() for name, numbers in measured.items()})
        terms = {}
        if self.weights.outside:
            terms["outside"] = self.weights.outside * control_points.outside(drawing.points, height, width).mean()
        if self.weights.folds:
            terms["folds"] = self.weights.folds * control_points.folds(*placed, height, width).mean()
        return terms
