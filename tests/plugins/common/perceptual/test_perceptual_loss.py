"""Features of VGG networks and the loss between them."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torchvision.models import vgg16, vgg19

from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.settings import (
    PerceptualSettings,
    StyleSettings,
    check_side,
    layers_in_use,
    layers_of,
    smallest_side,
)
from restore.plugins.common.perceptual.vgg import VGGFeatures


def test_recorded_results(golden: ModuleType) -> None:
    fixture = golden.load("seed_content_loss")
    features = VGGFeatures("vgg19", ["relu5_4"])
    kept = {key: value for key, value in fixture.state().items() if key not in ("mean", "std")}
    features.load_state_dict({key.replace("feature_extractor", "features"): kept[key] for key in kept})
    for precision in ("fp32", "fp64"):
        network = features.to(golden.DTYPES[precision])
        fixture.check(Perceptual(network).distance, precision=precision)


def test_the_parts_are_torchvisions_own() -> None:
    for network, build in (("vgg16", vgg16), ("vgg19", vgg19)):
        with torch.device("meta"):  # names and shapes without half a gigabyte of numbers
            theirs = build().features
        last = layers_of(network)[-1]
        assert len(theirs) == len(layers_of(network))
        ours = VGGFeatures(network, [last]).features
        kinds = [type(layer).__name__ for layer in ours]
        assert kinds == [type(layer).__name__ for layer in theirs]
        assert {key: value.shape for key, value in ours.state_dict().items()} == {
            key: value.shape for key, value in theirs.state_dict().items()
        }
    assert layers_of("vgg19")[35] == "relu5_4"
    assert layers_of("vgg16")[29] == "relu5_3"


def test_features_before_and_after_a_relu_belong_together() -> None:
    features = VGGFeatures("vgg16", ["conv1_2", "relu1_2", "pool1", "relu2_1"])
    image = torch.rand(2, 3, 12, 10)
    found = features(image)
    assert list(found) == ["conv1_2", "relu1_2", "pool1", "relu2_1"]
    assert (found["conv1_2"] < 0).any()
    assert torch.equal(found["relu1_2"], found["conv1_2"].relu())
    assert found["pool1"].shape == (2, 64, 6, 5)
    assert found["relu2_1"].shape == (2, 128, 6, 5)


@pytest.mark.parametrize(
    ("layer", "side"), [("relu1_2", 1), ("pool1", 2), ("relu2_1", 2), ("pool3", 8), ("relu5_3", 16), ("pool5", 32)]
)
def test_a_layer_sees_something_from_its_smallest_side_on(layer: str, side: int) -> None:
    assert smallest_side("vgg16", layer) == side
    features = VGGFeatures("vgg16", [layer])
    with torch.no_grad():
        assert features(torch.rand(1, 3, side, side))[layer].shape[-2:] == (1, 1)
        if side > 1:
            with pytest.raises(RuntimeError, match="too small"):
                features(torch.rand(1, 3, side - 1, side - 1))


def test_only_losses_with_a_weight_look_and_ask_for_a_size() -> None:
    deep, shallow = {"pool5": 1.0}, {"relu1_1": 1.0, "pool1": 1.0}
    perceptual, style = PerceptualSettings(layers=deep), StyleSettings(layers=shallow)
    assert layers_in_use(perceptual, style) == ("pool5", "relu1_1", "pool1")
    assert layers_in_use(PerceptualSettings(weight=0, layers=deep), style) == ("relu1_1", "pool1")
    assert layers_in_use(perceptual, StyleSettings(weight=0)) == layers_in_use(perceptual) == ("pool5",)
    with pytest.raises(ValueError, match=r"crop=31: layer pool5 of vgg19 needs at least 32 pixels"):
        check_side(31, "crop", perceptual, style)
    check_side(32, "crop", perceptual, style)
    check_side(2, "crop", PerceptualSettings(weight=0, layers=deep), style)


def test_images_are_normalized_as_imagenet_is() -> None:
    features = VGGFeatures("vgg19", ["conv1_1"])
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 6, 6)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    assert features(mean)["conv1_1"].abs().max() < 1e-6  # no bias is drawn
    unit = features(mean + deviation)["conv1_1"]
    assert torch.allclose(unit, features.features[0](torch.ones(1, 3, 6, 6)), atol=1e-4)


def test_random_features_are_the_same_every_time_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(0)
    first = VGGFeatures("vgg19", ["relu1_2"])
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(1), after)
    torch.manual_seed(1)
    for one, other in zip(first.parameters(), VGGFeatures("vgg19", ["relu1_2"]).parameters(), strict=True):
        assert torch.equal(one, other)


def test_random_features_neither_fade_nor_explode() -> None:
    features = VGGFeatures("vgg19", ["conv1_1", "conv3_4"])
    found = features(torch.rand(1, 3, 32, 32))
    assert 0.2 < (found["conv3_4"].std() / found["conv1_1"].std()).item() < 5


def brightness(images: Tensor) -> dict[str, Tensor]:
    return {"relu1_1": 2 * images, "relu2_1": images.mean((-2, -1))}


@pytest.mark.parametrize(("criterion", "expected"), [("l1", 0.5 * 0.2 + 3 * 0.1), ("mse", 0.5 * 0.04 + 3 * 0.01)])
def test_layers_have_shares_and_differences_a_criterion(criterion: str, expected: float) -> None:
    settings = PerceptualSettings.model_validate(
        {"weight": 2.0, "layers": {"relu1_1": 0.5, "relu2_1": 3.0}, "criterion": criterion}
    )
    loss = Perceptual.from_settings(settings, brightness)
    target = torch.full((1, 3, 4, 4), 0.4)
    term = loss(target + 0.1, {"target": target})["perceptual"]
    assert term.item() == pytest.approx(2 * expected, rel=1e-5)


def test_the_gradient_reaches_the_prediction_alone() -> None:
    features = VGGFeatures("vgg19", ["relu1_2"]).requires_grad_(False)
    prediction, target = (torch.rand(1, 3, 8, 8, requires_grad=True) for _ in range(2))
    Perceptual(features, {"relu1_2": 1.0})(prediction, {"target": target})["perceptual"].backward()
    assert prediction.grad is not None
    assert prediction.grad.abs().sum() > 0
    assert target.grad is None
    assert all(parameter.grad is None for parameter in features.parameters())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"layers": {"relu6_1": 1.0}}, "vgg19 has no layer 'relu6_1'"),
        ({"network": "vgg16", "layers": {"relu5_4": 1.0}}, "vgg16 has no layer 'relu5_4'"),
        ({"layers": {}}, "at least one"),
        ({"layers": {"relu1_1": 0}}, "greater than 0"),
    ],
)
def test_layers_that_do_not_exist_are_refused(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PerceptualSettings.model_validate(settings)
