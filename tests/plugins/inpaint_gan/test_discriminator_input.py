"""What the discriminators of inpaint-gan see, and what follows from their scores."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
import torch
from built import networks_of
from small_inpaint_gan import DISCRIMINATORS, KINDS, discriminator, masked_batch, settings
from torch import Tensor

from restore.core.errors import UsageError
from restore.plugins.common.adversarial.losses import Hinge
from restore.plugins.common.inpainting.losses import compose
from restore.plugins.inpaint_gan.discriminator_input import (
    DiscriminatorOutput,
    GANLoss,
    discriminator_terms,
    gan_loss,
)
from restore.plugins.inpaint_gan.networks import InpaintingLocalGlobalDiscriminator
from restore.plugins.inpaint_gan.progressive import crop_boxes, local_boxes
from restore.plugins.inpaint_gan.settings import AdversarialSettings
from restore.plugins.inpaint_gan.task import InpaintGAN

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_one_that_was_chosen(kind: str) -> None:
    adversarial = gan_loss(AdversarialSettings.model_validate({"kind": kind, "weight": 0.25, "penalty": 7.0}))
    assert type(adversarial.loss).__name__.lower() == kind.replace("-", "")
    assert adversarial.loss.weight == 0.25
    assert adversarial.penalty_weight == (7.0 if kind == "wasserstein" else 0.0)


def test_every_map_has_the_same_say() -> None:
    large, small = torch.full((2, 1, 9, 9), 3.0), torch.full((2, 1, 2, 2), -1.0)
    terms = GANLoss(Hinge(weight=2.0)).generator(DiscriminatorOutput([large, small]))
    assert float(terms["adversarial"]) == pytest.approx(2 * (-3 + 1) / 2)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_slope_of_each_map_is_penalized(name: str) -> None:
    task = InpaintGAN(settings(discriminator=discriminator(name), adversarial={"kind": "wasserstein"}))
    batch = masked_batch()

    def discriminate(*images: Tensor) -> list[DiscriminatorOutput]:
        return task.discriminate(networks_of(task)["discriminator"], batch, *images)

    fake = torch.rand_like(batch["target"])
    terms, logged = discriminator_terms(task.gan_loss, discriminate, batch["target"], fake)
    points = (0.5 * batch["target"] + 0.5 * fake).requires_grad_()
    (output,) = discriminate(points)
    by_hand = []
    for scores in output.maps:
        per_sample = scores.flatten(1).mean(1)
        slopes = torch.cat(
            [torch.autograd.grad(score, points, retain_graph=True)[0][[k]] for k, score in enumerate(per_sample)]
        )
        by_hand.append((slopes.flatten(1).norm(dim=1) - 1).square().mean())
    assert float(task.gan_loss.penalty(output, points)["gradient_penalty"].detach()) == pytest.approx(
        10 * float(torch.stack(by_hand).mean()), rel=1e-4
    )
    assert float(terms["gradient_penalty"].detach()) > 0
    assert set(logged) == {"distance"}


def shown(task: InpaintGAN, batch: Mapping[str, Tensor], fake: Tensor) -> float:
    """How much higher real images score than generated ones."""
    with torch.no_grad():
        real_output, fake_output = task.discriminate(
            networks_of(task)["discriminator"], dict(batch), batch["target"], fake
        )
    maps = zip(real_output.maps, fake_output.maps, strict=True)
    return sum(float(real.mean() - false.mean()) for real, false in maps)


def trained_discriminator(kind: str, name: str, sign: float = 1.0) -> tuple[InpaintGAN, dict[str, Tensor], Tensor]:
    """A discriminator that was told for some steps apart what is dark in the hole and what is not."""
    task = InpaintGAN(settings(discriminator=discriminator(name, spectral=False), adversarial={"kind": kind}))
    batch = masked_batch()
    fake = compose(0.2 * torch.rand_like(batch["target"]), batch)
    network = networks_of(task)["discriminator"]
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(20):
        terms, _ = discriminator_terms(
            task.gan_loss, lambda *seen: task.discriminate(network, batch, *seen), batch["target"], fake
        )
        optimizer.zero_grad()
        (sign * torch.stack(list(terms.values())).sum()).backward()
        optimizer.step()
    return task, batch, fake


@pytest.mark.parametrize(("kind", "name"), [*product(KINDS, ["patch"]), *product(["hinge"], DISCRIMINATORS[1:])])
def test_a_discriminator_tells_real_from_fake_and_the_generator_climbs_its_scores(kind: str, name: str) -> None:
    task, batch, fake = trained_discriminator(kind, name)
    before = shown(task, batch, fake)
    assert before > 0.05
    image = fake.clone().requires_grad_()
    (output,) = task.discriminate(networks_of(task)["discriminator"], batch, compose(image, batch))
    (loss,) = task.gan_loss.generator(output).values()
    (slope,) = torch.autograd.grad(loss, image)
    inside = batch["mask"].bool().expand_as(slope)
    assert bool(slope[inside].any())
    assert not bool(slope[~inside].any())  # what is known is not the generator's
    down = fake - 0.1 * slope / slope.abs().amax()
    assert shown(task, batch, down) < before  # generated images score higher
    up = fake + 0.1 * slope / slope.abs().amax()
    assert shown(task, batch, up) > before


@pytest.mark.parametrize("kind", ["hinge", "wasserstein"])
def test_a_discriminator_with_the_wrong_sign_does_not_tell_them_apart(kind: str) -> None:
    task, batch, fake = trained_discriminator(kind, "patch", sign=-1.0)
    assert shown(task, batch, fake) < 0


def test_the_local_discriminator_sees_the_hole_with_its_surroundings() -> None:
    batch = masked_batch(side=32)
    boxes = local_boxes(batch["mask"], 16)
    parts = crop_boxes(batch["mask"], boxes, 16)
    assert torch.equal(parts.sum((1, 2, 3)), batch["mask"].sum((1, 2, 3)))  # nothing of it is cut off
    top, left = boxes[0].tolist()
    part = batch["target"][0, :, top : top + 16, left : left + 16]
    assert torch.equal(crop_boxes(batch["target"], boxes, 16)[0], part)
    corner = torch.zeros(1, 1, 32, 32)
    corner[..., -3:, :2] = 1
    assert local_boxes(corner, 16).tolist() == [[16, 0]]


def test_each_sample_has_a_local_part_of_its_own() -> None:
    discriminator = InpaintingLocalGlobalDiscriminator(32, channels=2)
    mask = torch.zeros(2, 1, 32, 32)
    mask[0, :, :8, :8] = 1
    mask[1, :, -8:, -8:] = 1
    seen: list[Tensor] = []
    discriminator.local.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    images = torch.rand(2, 3, 32, 32)
    discriminator(images, mask)
    assert torch.allclose(seen[0][0], 2 * images[0, :, :16, :16] - 1)
    assert torch.allclose(seen[0][1], 2 * images[1, :, 16:, 16:] - 1)


def test_feature_matching_needs_a_discriminator_with_features() -> None:
    task = InpaintGAN(
        settings(
            discriminator={"architecture": "srgan/discriminator", "channels": 2, "hidden": 4},
            adversarial={"feature_matching": 1.0},
        )
    )
    with pytest.raises(UsageError, match=r"feature-matching: srgan/discriminator does not return its features"):
        task.training_networks()
