"""Gram matrices, the loss between them, and feature matching."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.settings import PerceptualSettings, StyleSettings, check_layers, layers_in_use
from restore.plugins.common.perceptual.style import Once, Style, gram
from restore.plugins.common.perceptual.vgg import VGGFeatures
from restore.plugins.common.perceptual.weights import feature_network
from restore.plugins.inpaint_gan.feature_matching import FeatureMatching

POOLS = ("pool1", "pool2", "pool3")


def test_recorded_gram_matrices(golden: ModuleType) -> None:
    golden.load("lbam_gram").check(gram)


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
def test_recorded_perceptual_and_style_terms(golden: ModuleType, precision: str) -> None:
    fixture = golden.load("lbam_vgg16_terms")
    network = VGGFeatures("vgg16", POOLS)
    network.load_state_dict(fixture.state())
    network.to(golden.DTYPES[precision])

    def unnormalized(images: Tensor) -> dict[str, Tensor]:  # the reference shows VGG images in [0, 1] as they are
        found: dict[str, Tensor] = network(images * network.deviation + network.mean)
        return found

    def both(prediction: Tensor, composite: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        features, shares = Once(unnormalized), dict.fromkeys(POOLS, 1.0)
        losses = Perceptual(features, shares, "l1", 0.01).distance, Style(features, shares).distance
        content, style = (loss(prediction, target) + loss(composite, target) for loss in losses)
        return 0.01 * content, 120 * style

    fixture.check(both, precision=precision)


def test_a_gram_matrix_is_made_in_single_precision_at_least() -> None:
    features = torch.rand(1, 2, 64, 64).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = gram(features)
    assert found.dtype == torch.float32
    assert torch.equal(found, gram(features.float()))


def test_style_forgets_places_and_its_gradient_reaches_the_prediction_alone() -> None:
    style = Style(lambda images: {"relu1_1": images}, {"relu1_1": 2.0}, weight=3.0)
    prediction, target = torch.rand(2, 1, 3, 4, 4)
    assert float(style.distance(target.flip(-1), target)) == pytest.approx(0, abs=1e-7)
    prediction.requires_grad_()
    target.requires_grad_()
    term = style(prediction, {"target": target})["style"]
    assert term.item() == pytest.approx(6 * (gram(prediction) - gram(target)).abs().mean().item())
    term.backward()
    assert prediction.grad is not None
    assert target.grad is None


def test_images_are_looked_at_once() -> None:
    calls: list[int] = []

    def look(images: Tensor) -> dict[str, Tensor]:
        calls.append(len(images))
        return {"relu1_1": images}

    features = Once(look)
    prediction, target = torch.rand(2, 1, 3, 4, 4)
    Perceptual(features, {"relu1_1": 1.0}).distance(prediction, target)
    Style(features, {"relu1_1": 1.0}).distance(prediction, target)
    assert len(calls) == 2


def test_settings_choose_layers_that_the_network_then_has() -> None:
    settings = StyleSettings(weight=2.0, layers={"relu1_2": 0.5})
    perceptual = PerceptualSettings(layers={"relu1_1": 1.0}, weights="random")
    network = feature_network(perceptual, layers_in_use(perceptual, settings))
    style = Style.from_settings(settings, network)
    assert (style.weight, set(network(torch.rand(1, 3, 4, 4)))) == (2.0, {"relu1_1", "relu1_2"})
    with pytest.raises(ValueError, match=r"style\.layers: vgg16 has no layer 'relu5_4'"):
        check_layers("vgg16", {"relu5_4": 1.0}, "style.layers")
    with pytest.raises(ValidationError):
        StyleSettings(weight=-1)


def test_feature_matching_is_the_mean_over_layers_and_pulls_at_the_generated_side() -> None:
    generated = [torch.full((1, 2, 4, 4), 0.5, requires_grad=True), torch.zeros(1, 3, 2, 2, requires_grad=True)]
    real = [torch.full((1, 2, 4, 4), 0.1, requires_grad=True), torch.ones(1, 3, 2, 2, requires_grad=True)]
    term = FeatureMatching(2.0)(generated, real)["feature_matching"]
    assert term.item() == pytest.approx(2 * (0.4 + 1.0) / 2)
    term.backward()
    assert all(seen.grad is not None for seen in generated)
    assert all(wanted.grad is None for wanted in real)
    with pytest.raises(ValueError, match="as many layers"):
        FeatureMatching()(generated, real[:1])
