"""Discriminator and generator pull in opposite directions, once a batch each, and every setting reaches them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from built import all_networks_of, networks_of
from torch import Tensor, nn

from restore.core.networks import Networks
from restore.core.seeding import seed_everything
from restore.core.training_step import LossFunction, Terms, TrainStep
from restore.plugins.common.adversarial.losses import Wasserstein
from restore.plugins.lbam.discriminator import Discriminator
from restore.plugins.lbam.generator import Generator
from restore.plugins.lbam.settings import LBAMSettings
from restore.plugins.lbam.task import LBAM


def task(**changes: Any) -> LBAM:
    settings = LBAM.tiny_settings(augment={"recolor": False}, **changes)
    assert isinstance(settings, LBAMSettings)
    seed_everything(0)
    made = LBAM(settings)
    assert networks_of(made)
    return made


def batch(side: int = 64, samples: int = 4) -> dict[str, Tensor]:
    """Smooth images with a square hole."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(samples, 3, 4, 4, generator=generator)
    target = nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    mask = torch.zeros(samples, 1, side, side)
    mask[..., side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 1
    return {"input": target * (1 - mask), "mask": mask, "target": target}


class PlainStep(TrainStep):
    """The engine's step without engine: the trained network's parameters alone move, by one optimizer each."""

    def __init__(self, networks: Mapping[str, nn.Module], rates: dict[str, float], phase: str = "adversarial") -> None:
        super().__init__(phase, 0, 0, 0, 0.0)
        self.networks = networks
        self.optimizers = {
            name: torch.optim.Adam(networks[name].parameters(), lr=rate, betas=(0.0, 0.9))
            for name, rate in rates.items()
        }
        self.names, self.terms, self.numbers = list[str](), dict[str, Terms](), dict[str, float]()

    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        self.names.append(name)
        for other in ("generator", "discriminator"):
            self.networks[other].requires_grad_(other == name)
        terms = loss_fn(Networks(self.networks))
        torch.stack(list(terms.values())).sum().backward()
        self.optimizers[name].step()
        self.optimizers[name].zero_grad()
        self.terms[name] = terms

    def log(self, **values: Tensor | float) -> None:
        self.numbers |= {name: float(torch.as_tensor(value).detach().mean()) for name, value in values.items()}


class PublishedSign(Wasserstein):
    """The published code's mistake: it negates the scores of real images and subtracts them all the same."""

    def d_loss_real(self, scores: Tensor) -> Tensor:
        return scores.mean()

    def g_loss(self, scores: Tensor) -> Tensor:
        return scores.mean()


@contextmanager
def trained_discriminator(adversarial: Wasserstein, steps: int = 20) -> Iterator[tuple[LBAM, dict[str, Tensor]]]:
    """A task whose discriminator alone has learned to tell images of an untrained generator from targets."""
    made, shown = task(discriminator={"channels": 4}), batch()
    made.gan_loss = adversarial
    step = PlainStep(all_networks_of(made), {"discriminator": 2e-3})
    for _ in range(steps):
        step.optimize("discriminator", partial(made.discriminator_loss, shown, step))
    for module in networks_of(made).values():
        module.requires_grad_(True)
    yield made, shown


@torch.no_grad()
def scores(made: LBAM, shown: dict[str, Tensor]) -> tuple[float, float]:
    """Mean scores of targets and of filled images."""
    discriminator = networks_of(made)["discriminator"]
    filled = networks_of(made)["generator"](shown["input"], shown["mask"])
    return float(discriminator(shown["target"], shown["mask"]).mean()), float(
        discriminator(filled, shown["mask"]).mean()
    )


def score_after_a_small_step(made: LBAM, shown: dict[str, Tensor]) -> float:
    """Mean score of images filled after one small step along the negative gradient of the adversarial term alone."""
    generator = deepcopy(networks_of(made)["generator"])
    filled = generator(shown["input"], shown["mask"])
    (term,) = made.gan_loss.generator(networks_of(made)["discriminator"](filled, shown["mask"])).values()
    parameters = list(generator.parameters())
    slopes = torch.autograd.grad(term, parameters, allow_unused=True)
    length = torch.stack([slope.square().sum() for slope in slopes if slope is not None]).sum().sqrt()
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes, strict=True):
            if slope is not None:
                parameter -= 1e-2 * slope / length
        return float(networks_of(made)["discriminator"](generator(shown["input"], shown["mask"]), shown["mask"]).mean())


def test_the_discriminator_learns_to_score_real_images_higher_and_the_generator_climbs() -> None:
    with trained_discriminator(Wasserstein(0.1)) as (made, shown):
        real, fake = scores(made, shown)
        assert real > fake + 0.1
        assert score_after_a_small_step(made, shown) > fake


def test_with_the_published_sign_nothing_is_adversarial() -> None:
    with trained_discriminator(PublishedSign(0.1)) as (made, shown):
        real, fake = scores(made, shown)
        assert real < fake + 0.1
        assert max(real, fake) < -10  # it lowers both
        assert score_after_a_small_step(made, shown) < fake


def test_discriminator_and_generator_move_once_each_with_images_made_anew() -> None:
    made, shown = task(), batch(32)
    calls = list[bool]()
    networks_of(made)["generator"].register_forward_hook(lambda *_: calls.append(torch.is_grad_enabled()))
    step = PlainStep(all_networks_of(made), {"discriminator": 1e-3, "generator": 1e-3})
    made.train_step(shown, step)
    assert step.names == ["discriminator", "generator"]
    assert calls == [False, True]
    assert step.terms["discriminator"].keys() == {"d_loss_real", "d_loss_fake", "gradient_penalty"}
    assert step.terms["generator"].keys() == {"l1_hole", "l1_known", "perceptual", "style", "adversarial"}
    assert {"score_real", "score_fake", "sharpness"} <= step.numbers.keys()


def test_the_penalty_judges_images_between_real_and_filled_ones_in_the_same_call() -> None:
    made, shown = task(), batch(32, samples=2)
    seen = list[Tensor]()
    networks_of(made)["discriminator"].register_forward_hook(lambda _, inputs, __: seen.extend(inputs))
    step = PlainStep(all_networks_of(made), {"discriminator": 1e-3})
    step.optimize("discriminator", partial(made.discriminator_loss, shown, step))
    images, holes = (plane.detach() for plane in seen)
    real, fake, between = images.chunk(3)
    assert torch.equal(real, shown["target"])
    share = ((between - fake) / (real - fake)).flatten(1).nanmedian(1).values
    assert torch.allclose(between, torch.lerp(fake, real, share[:, None, None, None]), atol=1e-4)
    assert torch.equal(holes, shown["mask"].repeat(3, 1, 1, 1))


def test_without_a_penalty_the_discriminator_still_learns() -> None:
    made, shown = task(adversarial={"penalty": 0}), batch(32)
    step = PlainStep(all_networks_of(made), {"discriminator": 1e-3, "generator": 1e-3})
    made.train_step(shown, step)
    assert step.terms["discriminator"].keys() == {"d_loss_real", "d_loss_fake"}


def test_pretraining_is_the_generator_s_alone() -> None:
    made, shown = task(), batch(32)
    step = PlainStep(all_networks_of(made), {"generator": 1e-3}, "pretrain")
    made.train_step(shown, step)
    assert step.names == ["generator"]
    assert step.terms["generator"].keys() == {"l1_hole", "l1_known"}


def test_recoloring_keeps_the_hole_black_and_the_pair_alike() -> None:
    settings = LBAM.tiny_settings(augment={"recolor": True})
    assert isinstance(settings, LBAMSettings)
    seed_everything(0)
    made, shown, seen = LBAM(settings), batch(32), list[Tensor]()

    class Looking(nn.Module):
        def forward(self, images: Tensor, holes: Tensor) -> Tensor:
            seen.append(images)
            return images

    class Shown(PlainStep):
        def optimize(self, name: str, loss_fn: LossFunction) -> None:
            terms = loss_fn(Networks({"generator": Looking()}))
            assert float(terms["l1_known"]) == 0  # the answer that copies the known part equals the target there

    made.train_step(shown, Shown({}, {}, "pretrain"))
    assert not torch.equal(seen[0], shown["input"])
    assert (seen[0] * shown["mask"]).eq(0).all()


def test_a_steady_gan_is_not_warned_of_and_an_exploding_one_is() -> None:
    made = task()
    well = {"score_real": 40.0, "score_fake": 3.0, "generator/gradient": 1.0, "discriminator/gradient": 2.0}
    assert made.health(well) is None
    warning = made.health({**well, "discriminator/gradient": 1e6})
    assert warning is not None
    assert "explodes" in warning


@pytest.mark.parametrize("published", [False, True])
def test_the_published_discriminator_can_be_chosen(published: bool) -> None:
    made = task(crop_size=256, discriminator={"channels": 1, "published": published})
    discriminator = networks_of(made)["discriminator"]
    assert isinstance(discriminator, Discriminator)
    assert any(isinstance(part, nn.BatchNorm2d) for part in discriminator.modules()) is published
    assert isinstance(networks_of(made)["generator"], Generator)
