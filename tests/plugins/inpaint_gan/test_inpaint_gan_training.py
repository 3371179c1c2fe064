"""What the two networks of inpaint-gan learn from, for every generator, critic and game."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
import torch
from recorder import Recorder
from torch import Tensor

from restore.core.steps import Phase, Step
from restore.plugins.common.games.adversarial import Hinge
from restore.plugins.common.holes.losses import composed
from restore.plugins.inpaint_gan.judging import Game, Judge, Verdict, critic_terms, game_of
from restore.plugins.inpaint_gan.network_settings import DiscriminatorSettings
from restore.plugins.inpaint_gan.settings import AdversarialSettings, InpaintGANSettings
from restore.plugins.inpaint_gan.sizes import cut, local_boxes, size_of
from restore.plugins.inpaint_gan.task import InpaintGAN

KINDS = ("vanilla", "least-squares", "hinge", "wasserstein")
CRITICS = ("patch", "multi-scale", "local-global")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def settings(**changes: Any) -> InpaintGANSettings:
    made = InpaintGAN.miniature(**changes)
    assert isinstance(made, InpaintGANSettings)
    return made


def holed_batch(side: int = 32, count: int = 2) -> dict[str, Tensor]:
    target = torch.rand(count, 3, side, side)
    mask = torch.zeros(count, 1, side, side)
    mask[:, :, side // 4 : side // 2, side // 4 : side // 2 + 4] = 1
    return {"input": target * (1 - mask), "mask": mask, "target": target}


def one_step(phase: str = "adversarial", run_step: int = 0, share: float = 0.0, **changes: Any) -> Recorder:
    task = InpaintGAN(settings(**changes))
    turn = Recorder(task)
    task.train_step(holed_batch(), turn, Step(phase, 0, run_step, 0, share))
    return turn


@pytest.mark.parametrize(
    ("generator", "gated", "critic", "kind"),
    [
        *(("unet", False, *rest) for rest in product(CRITICS, KINDS)),
        *(("coarse-to-fine", gated, critic, "hinge") for gated, critic in product((False, True), CRITICS)),
    ],
)
def test_every_generator_takes_a_step_against_every_critic(generator: str, gated: bool, critic: str, kind: str) -> None:
    turn = one_step(
        model={"generator": generator, "gated": gated, "width": 4},
        discriminator={"kind": critic, "layers": 1},
        adversarial={"kind": kind},
    )
    assert list(turn.terms) == ["discriminator", "generator"]
    penalised = {"gradient_penalty"} if kind == "wasserstein" else set()
    assert set(turn.terms["discriminator"]) == {"critic_real", "critic_fake"} | penalised
    coarse = {"coarse_l1_hole", "coarse_l1_known"} if generator == "coarse-to-fine" else set()
    assert set(turn.terms["generator"]) == {"l1_hole", "l1_known", "adversarial"} | coarse
    for name, gradients in turn.gradients.items():
        moved = {key for key, gradient in gradients.items() if gradient is not None and bool(gradient.any())}
        own = {key for key in gradients if key.startswith(f"{name}.")}
        assert moved <= own
        assert {key for key in own if gradients[key] is not None} == own


@pytest.mark.parametrize("critic", CRITICS)
def test_the_slope_of_each_map_is_penalised(critic: str) -> None:
    task = InpaintGAN(settings(discriminator={"kind": critic, "layers": 1}, adversarial={"kind": "wasserstein"}))
    batch = holed_batch()

    def judged(*pictures: Tensor) -> list[Verdict]:
        return task.judge(task.modules["discriminator"], batch, *pictures)

    fake = torch.rand_like(batch["target"])
    terms, logged = critic_terms(task.game, judged, batch["target"], fake)
    points = (0.5 * batch["target"] + 0.5 * fake).requires_grad_()
    (verdict,) = judged(points)
    by_hand = []
    for scores in verdict.maps:
        per_sample = scores.flatten(1).mean(1)
        slopes = torch.cat(
            [torch.autograd.grad(score, points, retain_graph=True)[0][[k]] for k, score in enumerate(per_sample)]
        )
        by_hand.append((slopes.flatten(1).norm(dim=1) - 1).square().mean())
    assert float(task.game.penalty(verdict, points)["gradient_penalty"].detach()) == pytest.approx(
        10 * float(torch.stack(by_hand).mean()), rel=1e-4
    )
    assert float(terms["gradient_penalty"].detach()) > 0
    assert set(logged) == {"distance"}


def shown(task: InpaintGAN, batch: Mapping[str, Tensor], fake: Tensor) -> float:
    """How much higher real pictures score than generated ones."""
    with torch.no_grad():
        real_verdict, fake_verdict = task.judge(task.modules["discriminator"], dict(batch), batch["target"], fake)
    maps = zip(real_verdict.maps, fake_verdict.maps, strict=True)
    return sum(float(real.mean() - false.mean()) for real, false in maps)


def trained_critic(kind: str, critic: str, sign: float = 1.0) -> tuple[InpaintGAN, dict[str, Tensor], Tensor]:
    """A critic that was told for some steps apart what is dark in the hole and what is not."""
    task = InpaintGAN(
        settings(discriminator={"kind": critic, "layers": 1, "spectral": False}, adversarial={"kind": kind})
    )
    batch = holed_batch()
    fake = composed(0.2 * torch.rand_like(batch["target"]), batch)
    network = task.modules["discriminator"]
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(20):
        terms, _ = critic_terms(task.game, lambda *seen: task.judge(network, batch, *seen), batch["target"], fake)
        optimizer.zero_grad()
        (sign * torch.stack(list(terms.values())).sum()).backward()
        optimizer.step()
    return task, batch, fake


@pytest.mark.parametrize(("kind", "critic"), [*product(KINDS, ["patch"]), *product(["hinge"], CRITICS[1:])])
def test_a_critic_tells_real_from_fake_and_the_generator_climbs_its_scores(kind: str, critic: str) -> None:
    task, batch, fake = trained_critic(kind, critic)
    before = shown(task, batch, fake)
    assert before > 0.05
    picture = fake.clone().requires_grad_()
    (verdict,) = task.judge(task.modules["discriminator"], batch, composed(picture, batch))
    (loss,) = task.game.generator(verdict).values()
    (slope,) = torch.autograd.grad(loss, picture)
    inside = batch["mask"].bool().expand_as(slope)
    assert bool(slope[inside].any())
    assert not bool(slope[~inside].any())  # what is known is not the generator's
    down = fake - 0.1 * slope / slope.abs().amax()
    assert shown(task, batch, down) < before  # generated pictures score higher
    up = fake + 0.1 * slope / slope.abs().amax()
    assert shown(task, batch, up) > before


@pytest.mark.parametrize("kind", ["hinge", "wasserstein"])
def test_a_critic_with_the_wrong_sign_does_not_tell_them_apart(kind: str) -> None:
    task, batch, fake = trained_critic(kind, "patch", sign=-1.0)
    assert shown(task, batch, fake) < 0


def test_every_map_has_the_same_say() -> None:
    large, small = torch.full((2, 1, 9, 9), 3.0), torch.full((2, 1, 2, 2), -1.0)
    terms = Game(Hinge(weight=2.0)).generator(Verdict([large, small]))
    assert float(terms["adversarial"]) == pytest.approx(2 * (-3 + 1) / 2)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_both_kinds_of_pictures_pass_through_a_normalised_critic_together(norm: str) -> None:
    task = InpaintGAN(settings(discriminator={"layers": 1, "norm": norm}))
    sizes: list[int] = []
    task.modules["discriminator"].register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))
    task.train_step(holed_batch(), Recorder(task), Step("adversarial", 0, 0, 0, 0.0))
    assert sizes == ([4, 4] if norm == "batch" else [4, 2])


def test_pretraining_is_the_generators_alone_and_the_game_may_be_too_slow_for_it() -> None:
    turn = one_step("pretrain")
    assert {name: set(terms) for name, terms in turn.terms.items()} == {"generator": {"l1_hole", "l1_known"}}
    rare = {"generator_every": 5}
    assert list(one_step(run_step=4, adversarial=rare).terms) == ["discriminator"]
    assert list(one_step(run_step=5, adversarial=rare).terms) == ["discriminator", "generator"]


def test_each_loss_can_be_given_a_weight() -> None:
    turn = one_step(
        model={"start": "gray", "width": 4, "levels": 3},
        pixel={"discount": 0.9, "variation": 0.1},
        perceptual={"weight": 0.05, "weights": "random", "layers": {"relu1_1": 1.0}},
        style={"weight": 120.0, "layers": {"relu1_2": 1.0}},
        adversarial={"feature_matching": 10.0},
    )
    others = {"perceptual", "style", "feature_matching"}
    assert set(turn.terms["generator"]) == {"l1_discounted", "l1_known", "total_variation", "adversarial", *others}
    assert all(float(value) != 0 for value in turn.terms["generator"].values())
    assert set(one_step("pretrain", pixel={"loss": "mse"}).terms["generator"]) == {"mse_hole", "mse_known"}


def test_what_is_logged_shows_how_the_game_goes() -> None:
    young, old = one_step(), one_step(share=0.5)
    assert set(young.logged) == {"d_real", "d_fake", "checkerboard", "diversity"}
    assert set(old.logged) == {*young.logged, "sharpness"}
    assert "has won" in str(old.task.health({"d_real": 1.0, "d_fake": 0.0}))
    assert old.task.health({"d_real": 0.6, "d_fake": 0.4, "generator/gradient": 1.0}) is None


def test_a_kind_of_holes_that_was_not_learned_is_told_of() -> None:
    task = InpaintGAN(settings())
    keys = next(iter(task.protocols().values())).metrics
    assert {"psnr-strokes", "psnr-border"} <= keys.keys()
    numbers = {f"validation/{key}": 25.0 for key in keys} | {f"baseline/mean/{key}": 15.0 for key in keys}
    assert task.health(numbers) is None
    assert "holes of the kind border are filled worse" in str(task.health({**numbers, "validation/psnr-border": 14.0}))


@pytest.mark.parametrize("kind", KINDS)
def test_the_game_is_the_one_that_was_chosen(kind: str) -> None:
    game = game_of(AdversarialSettings.model_validate({"kind": kind, "weight": 0.25, "penalty": 7.0}))
    assert type(game.loss).__name__.lower() == kind.replace("-", "")
    assert game.loss.weight == 0.25
    assert game.penalty_weight == (7.0 if kind == "wasserstein" else 0.0)


def test_the_local_critic_sees_the_hole_with_its_surroundings() -> None:
    batch = holed_batch(side=32)
    boxes = local_boxes(batch["mask"], 16)
    parts = cut(batch["mask"], boxes, 16)
    assert torch.equal(parts.sum((1, 2, 3)), batch["mask"].sum((1, 2, 3)))  # nothing of it is cut off
    top, left = boxes[0].tolist()
    assert torch.equal(cut(batch["target"], boxes, 16)[0], batch["target"][0, :, top : top + 16, left : left + 16])
    corner = torch.zeros(1, 1, 32, 32)
    corner[..., -3:, :2] = 1
    assert local_boxes(corner, 16).tolist() == [[16, 0]]


def test_each_sample_has_a_local_part_of_its_own() -> None:
    judge = Judge(DiscriminatorSettings(kind="local-global"))
    mask = torch.zeros(2, 1, 32, 32)
    mask[0, :, :8, :8] = 1
    mask[1, :, -8:, -8:] = 1
    seen: list[Tensor] = []

    class Looking(torch.nn.Module):
        def forward(self, local: Tensor, whole: Tensor, features: bool) -> tuple[list[Tensor], list[Tensor]]:
            seen.append(local)
            return [local.mean((1, 2, 3)), whole.mean((1, 2, 3))], []

    pictures = torch.rand(2, 3, 32, 32)
    judge(Looking(), {"mask": mask}, pictures)
    assert torch.allclose(seen[0][0], 2 * pictures[0, :, :16, :16] - 1)
    assert torch.allclose(seen[0][1], 2 * pictures[1, :, 16:, 16:] - 1)


def test_phases_train_at_the_sizes_that_they_say() -> None:
    task = InpaintGAN(settings(epochs=9, pretrain={"epochs": 3}, progressive=[16, 24], discriminator={"layers": 1}))
    phases = list(task.phases())
    assert [(phase.name, phase.epochs) for phase in phases] == [
        ("pretrain", 3),
        ("16", 2),
        ("24", 2),
        ("adversarial", 2),
    ]
    assert [size_of(phase, task.settings) for phase in phases] == [16, 16, 24, 32]
    for phase, side in zip(phases, (16, 16, 24, 32), strict=True):
        sample = task.data("train", phase)[0]
        assert {name: tuple(sample[name].shape) for name in ("input", "mask", "target")} == {
            "input": (3, side, side),
            "mask": (1, side, side),
            "target": (3, side, side),
        }
        assert torch.equal(sample["mask"], (sample["mask"] > 0.5).float())
        assert torch.equal(sample["input"], sample["target"] * (1 - sample["mask"]))
        assert task.data("validation", phase)[0]["target"].shape == (3, 32, 32)  # numbers can be compared
        turn = Recorder(task)
        batch = {name: torch.stack([value, value]) for name, value in sample.items()}
        task.train_step(batch, turn, Step(phase.name, 0, 0, 0, 0.0))
        assert list(turn.terms) == (["generator"] if phase.name == "pretrain" else ["discriminator", "generator"])


def test_sizes_may_stand_between_commas() -> None:
    assert settings(crop=96, progressive=["32,64"]).progressive == [32, 64]
    with pytest.raises(ValueError, match="integer"):
        settings(progressive=["32,x"])


def test_a_smaller_picture_shows_the_same_scene() -> None:
    task = InpaintGAN(settings(progressive=[16], discriminator={"layers": 1}))
    first = next(phase for phase in task.phases() if phase.name == "pretrain")
    last = Phase("adversarial", 1, {})
    torch.manual_seed(3)
    small = task.data("train", first)[0]
    torch.manual_seed(3)
    large = task.data("train", last)[0]
    halved = torch.nn.functional.avg_pool2d(large["target"], 2)
    assert float((small["target"] - halved).abs().mean()) < 0.02
    assert bool((small["mask"] >= torch.nn.functional.avg_pool2d(large["mask"], 2).round()).all())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": {"gated": True}}, "only the coarse-to-fine generator"),
        ({"model": {"generator": "coarse-to-fine", "width": 5}}, "even"),
        ({"progressive": [64]}, "stay below the crop"),
        ({"progressive": [24, 16]}, "rise"),
        ({"crop": 32, "discriminator": {"kind": "multi-scale", "layers": 3}}, "at least 48 pixels"),
        ({"adversarial": {"kind": "wasserstein"}, "discriminator": {"norm": "batch"}}, "gradient penalty"),
        ({"pixel": {"hole": 0, "known": 0}}, "no pixel"),
        ({"pixel": {"discount": 0.9, "loss": "mse"}}, "discount"),
        ({"pretrain": {"epochs": 5}}, "more than epochs"),
        ({"style": {"weight": 1.0, "layers": {"relu9_9": 1.0}}}, "has no 'relu9_9'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        settings(**changes)


def test_what_a_run_decides_is_fixed() -> None:
    decided = settings(crop=48, model={"width": 4, "levels": 3}, samples_per_epoch=None, epochs=10).decided()
    assert decided.model.window == 48
    assert decided.pretrain.epochs == 7
    assert decided.samples_per_epoch is not None
    assert InpaintGAN(decided).window == 48
    longer = decided.model_copy(update={"epochs": 20})
    assert [phase.epochs for phase in InpaintGAN(longer).phases()] == [7, 13]  # a resumed run plays on
