"""The composite loss is the published one, and each of its weights is its own."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.common.metrics import SSIM
from restore.plugins.common.perceptual.style import gram
from restore.plugins.common.perceptual.vgg import VGGFeatures
from restore.plugins.common.weighted_losses import WeightedLosses
from restore.plugins.lbam.losses import CompositeLoss, window, wrap_features
from restore.plugins.lbam.settings import LBAMSettings

POOLS = ("pool1", "pool2", "pool3")


def masked_sample(side: int = 48) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(0)
    mask = torch.zeros(2, 1, side, side, dtype=torch.float64)
    mask[:, :, : side // 2, side // 4 :] = 1
    prediction, target = torch.rand(2, 2, 3, side, side, dtype=torch.float64)
    return prediction, {"input": target * (1 - mask), "mask": mask, "target": target}


def settings(**changes: Any) -> LBAMSettings:
    changes.setdefault("perceptual", {"window": None})
    return LBAMSettings.model_validate(changes)


def composite_loss(chosen: LBAMSettings, features: Any) -> CompositeLoss:
    return CompositeLoss(chosen, WeightedLosses(chosen.loss), features)


def test_the_terms_are_those_of_the_published_code(golden: ModuleType) -> None:
    features = VGGFeatures("vgg16", POOLS)
    features.load_state_dict(golden.load("lbam_vgg16_terms").state())
    look = wrap_features(features.double().requires_grad_(False), normalize=False)
    prediction, batch = masked_sample()
    target, mask = batch["target"], batch["mask"]
    terms = composite_loss(settings(), look)(prediction, batch)
    composite = prediction * mask + target * (1 - mask)
    wanted = {
        "l1_hole": 6 * ((prediction - target).abs() * mask).mean(),
        "l1_known": ((prediction - target).abs() * (1 - mask)).mean(),
        "perceptual": torch.zeros(()),
        "style": torch.zeros(()),
    }
    shown = [features(image * features.deviation + features.mean) for image in (prediction, composite, target)]
    for pool in POOLS:
        for seen in shown[:2]:
            wanted["perceptual"] = wanted["perceptual"] + 0.01 * F.l1_loss(seen[pool], shown[2][pool])
            wanted["style"] = wanted["style"] + 120 * F.l1_loss(gram(seen[pool]), gram(shown[2][pool]))
    assert terms.keys() == wanted.keys()
    for name, value in wanted.items():
        assert float(terms[name]) == pytest.approx(float(value), rel=1e-6), name


def test_the_features_see_images_as_they_are_or_normalized(golden: ModuleType) -> None:
    fixture = golden.load("lbam_vgg16_terms")
    features = VGGFeatures("vgg16", POOLS)
    features.load_state_dict(fixture.state())
    features.double().requires_grad_(False)

    def both(out: Tensor, comp: Tensor, gt: Tensor, *, normalize: bool) -> tuple[Tensor, Tensor]:
        look = wrap_features(features, normalize=normalize)
        # In an image that is all hole the composite is the answer itself, so each pair is taken twice.
        hole = torch.ones_like(gt[:, :1])
        terms = [composite_loss(settings(), look)(image, {"target": gt, "mask": hole}) for image in (out, comp)]
        perceptual, style = (sum(term[name] for term in terms) / 2 for name in ("perceptual", "style"))
        return torch.as_tensor(perceptual), torch.as_tensor(style)

    fixture.check(lambda *images: both(*images, normalize=False))
    with pytest.raises(AssertionError):
        fixture.check(lambda *images: both(*images, normalize=True))


@pytest.mark.parametrize(
    ("changes", "name", "times"),
    [
        ({"loss": "common/masked-l1,hole=12"}, "l1_hole", 2),
        ({"loss": "common/masked-l1,known=5"}, "l1_known", 5),
        ({"perceptual": {"weight": 0.03, "window": None}}, "perceptual", 3),
        ({"style": {"weight": 60.0}}, "style", 0.5),
    ],
)
def test_each_weight_changes_its_own_term(changes: dict[str, Any], name: str, times: float) -> None:
    features = VGGFeatures("vgg16", POOLS).double().requires_grad_(False)
    prediction, batch = masked_sample()
    before = composite_loss(settings(), features)(prediction, batch)
    after = composite_loss(settings(**changes), features)(prediction, batch)
    ratios = {term: float(after[term] / before[term]) for term in before}
    assert ratios == pytest.approx({term: times if term == name else 1 for term in before})


def test_what_has_no_weight_costs_nothing() -> None:
    def never(images: Tensor) -> dict[str, Tensor]:
        raise AssertionError("features were computed")

    chosen = settings(loss="masked-l1,known=0", perceptual={"weight": 0}, style={"weight": 0}, total_variation=0.5)
    terms = composite_loss(chosen, never)(*masked_sample())
    assert terms.keys() == {"l1_hole", "total_variation"}
    assert composite_loss(settings(), None)(*masked_sample()).keys() == {"l1_hole", "l1_known"}


def test_windows_are_the_same_place_of_every_plane() -> None:
    torch.manual_seed(3)
    plane = torch.arange(30.0 * 40).view(1, 1, 30, 40)
    seen = set()
    for _ in range(20):
        first, second = window(16, plane, -plane)
        assert first.shape == (1, 1, 16, 16)
        assert torch.equal(first, -second)
        seen.add(float(first[0, 0, 0, 0]))
    assert len(seen) > 10
    assert [torch.equal(each, plane) for each in window(None, plane, plane)] == [True, True]
    assert window(64, plane)[0].shape == plane.shape


def test_ssim_of_values_up_to_255_with_constants_for_one_is_too_low(golden: ModuleType) -> None:
    """The published numbers are biased: here SSIM compares images of the range that its constants are for."""

    def ssim(first: Tensor, second: Tensor, padding: int = 5) -> Tensor:
        bell = torch.tensor([math.exp(-(place**2) / (2 * 1.5**2)) for place in range(-5, 6)])
        bell = bell / bell.sum()  # single precision, as the reference makes it
        kernel = torch.outer(bell, bell).to(first.dtype).expand(3, 1, 11, 11)

        def local(values: Tensor) -> Tensor:
            return F.conv2d(values, kernel, padding=padding, groups=3)

        means = local(first), local(second)
        variances = [
            local(values.square()) - mean.square() for values, mean in zip((first, second), means, strict=True)
        ]
        covariance = local(first * second) - means[0] * means[1]
        low, high = 0.01**2, 0.03**2
        likeness = (2 * means[0] * means[1] + low) * (2 * covariance + high)
        return (likeness / ((means[0].square() + means[1].square() + low) * (sum(variances) + high))).mean()

    fixture = golden.load("lbam_ssim")
    fixture.check(lambda a, b: (ssim(a, b), ssim(255 * a, 255 * b)))
    a, b = fixture.inputs()
    metric = SSIM()
    ours = metric.reduce(metric.measure(a, b))
    assert ours == pytest.approx(float(ssim(a, b, padding=0)), abs=1e-5)
    assert ours > float(ssim(255 * a, 255 * b, padding=0)) + 0.01
