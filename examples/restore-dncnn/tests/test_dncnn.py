"""The parts keep the contracts of their roles, and do what the paper says."""

from __future__ import annotations

import math

import pytest
import torch
from restore_dncnn.dataset import BlindImages
from restore_dncnn.losses import Residual
from restore_dncnn.metrics import EdgePSNR

from restore import registry
from restore.core.testing import check_component, check_imports


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("architectures", "dncnn/cdncnn"),
        ("datasets", "dncnn/blind"),
        ("losses", "dncnn/residual"),
        ("metrics", "dncnn/edge-psnr"),
    ],
)
def test_every_part_keeps_the_contract_of_its_role(kind: registry.Kind, name: str) -> None:
    check_component(registry.entry(kind, name))


def test_the_plugin_is_cheap_to_load() -> None:
    check_imports("restore_dncnn", "restore_dncnn.settings")


def test_the_noise_of_crops_has_any_level_and_that_of_whole_images_a_fixed_one() -> None:
    torch.manual_seed(0)
    crops = BlindImages("train", None, 0.1, 0, crop_size=64)
    levels = [255 * float((sample["input"] - sample["target"]).std()) for sample in (crops[0] for _ in range(50))]
    assert min(levels) < 10 < 45 < max(levels) < 57
    whole = BlindImages("validation", None, 0.1, 0, crop_size=64)[0]
    assert math.isclose(255 * float((whole["input"] - whole["target"]).std()), 25, rel_tol=0.02)


def test_the_loss_is_that_of_equation_1() -> None:
    clean, noise, predicted = torch.rand(3, 4, 3, 5, 6).unbind()
    terms = Residual()(clean + noise - predicted, {"target": clean})
    assert float(terms["residual"]) == pytest.approx(float((predicted - noise).square().sum()) / (2 * 4))


def test_only_edges_are_measured() -> None:
    target = torch.zeros(1, 3, 8, 8)
    target[..., 4:] = 0.5
    prediction = target.clone()
    prediction[..., 0] += 0.3  # on no edge
    prediction[..., 3] += 0.1
    metric = EdgePSNR(0.2)
    assert metric.reduce(metric.measure(prediction, target)) == pytest.approx(20, abs=1e-4)


def test_an_image_without_edges_does_not_count() -> None:
    metric, images = EdgePSNR(), torch.rand(1, 3, 8, 8)
    rows = metric.measure(images * 0.9, images)
    flat = metric.measure(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8))
    assert metric.reduce(torch.cat([rows, flat])) == metric.reduce(rows)
