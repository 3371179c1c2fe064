"""Masks, probability maps and overlays that are written."""

from __future__ import annotations

import pytest
import torch
from small_segmentation import NAMES
from torch import Tensor

from restore.core.specs import ClassMap, ClassMaps
from restore.plugins.unet.options import SegmentationPredictOptions
from restore.plugins.unet.rendering import COLORS, class_maps, outlines, overlay, regions, render
from restore.plugins.unet.settings import (
    ModelSettings,
)


def probability(*levels: float) -> Tensor:
    return torch.tensor(levels).view(-1, 1, 1).expand(-1, 8, 8).clone()


def test_one_class_is_written_as_mask_probability_and_overlay() -> None:
    found = probability(0.3)
    found[0, 2:6, 2:6] = 0.8
    shown = render(found, torch.zeros(3, 8, 8), ModelSettings(classes=NAMES), SegmentationPredictOptions())
    assert set(shown) == {"", "probability", "overlay"}
    assert shown[""].image.sum() == 16
    assert torch.equal(shown["probability"].image, found)
    assert shown["overlay"].image[:, 2, 2].tolist() == pytest.approx(COLORS[0])
    assert shown["overlay"].image[:, 3, 3].tolist() == pytest.approx([0.3 * value for value in COLORS[0]])
    assert not shown["overlay"].image[:, 0, 0].any()
    assert {name: kept.depth for name, kept in shown.items()} == {"": False, "probability": True, "overlay": False}
    assert not any(kept.alpha for kept in shown.values())
    strict = render(
        found,
        torch.zeros(3, 8, 8),
        ModelSettings(classes=NAMES),
        SegmentationPredictOptions(threshold=0.9, outputs=["mask"]),
    )
    assert set(strict) == {""}
    assert not strict[""].image.any()


def test_overlapping_classes_are_written_one_by_one() -> None:
    shown = render(
        probability(0.3, 0.7), torch.zeros(1, 8, 8), ModelSettings(classes=["a", "b"]), SegmentationPredictOptions()
    )
    assert set(shown) == {"a", "b", "probability-a", "probability-b", "overlay"}
    assert not shown["a"].image.any()
    assert shown["b"].image.all()


def test_exclusive_classes_are_written_as_numbers() -> None:
    model = ModelSettings(classes=["none", "a", "b"], multiclass=True)
    found = probability(0.2, 0.3, 0.5)
    found[0, :4] = 0.9
    shown = render(found, torch.ones(3, 8, 8), model, SegmentationPredictOptions(outputs=["mask", "overlay"]))
    assert (255 * shown[""].image).round().unique().tolist() == [0, 2]
    assert torch.equal(shown["overlay"].image[:, :4], torch.ones(3, 4, 8))  # the background is left as it is


def test_outlines_are_the_border_inside_a_region() -> None:
    mask = torch.zeros(1, 7, 7, dtype=torch.bool)
    mask[0, 1:6, 1:6] = True
    border = outlines(mask)
    assert border.sum() == 16
    assert not border[0, 2:5, 2:5].any()
    assert not outlines(torch.ones(1, 4, 4, dtype=torch.bool)).any()
    two = overlay(torch.zeros(3, 7, 7), torch.cat([mask, ~mask]))
    assert two[:, 1, 1].tolist() == pytest.approx(COLORS[0])
    assert two[:, 0, 1].tolist() == pytest.approx(COLORS[1])
    assert regions(torch.tensor([0.2, 0.3]).view(2, 1, 1), multiclass=True)[:, 0, 0].tolist() == [False, True]


def test_maps_of_classes_are_those_that_are_written() -> None:
    options = SegmentationPredictOptions(threshold=0.3)
    one = class_maps(ModelSettings(classes=NAMES), options, 0.3)
    assert one == ClassMaps((ClassMap(NAMES[0], COLORS[0], "probability"),), threshold=0.3, option="threshold")
    overlapping = class_maps(ModelSettings(classes=["a", "b"]), options, 0.3)
    assert overlapping is not None
    assert [each.part for each in overlapping.classes] == ["probability-a", "probability-b"]
    multiclass = class_maps(ModelSettings(classes=["none", "a", "b"], multiclass=True), options, 0.3)
    assert multiclass is not None
    assert (multiclass.numbers, multiclass.option) == ("", None)
    assert [each.color for each in multiclass.classes] == [None, COLORS[0], COLORS[1]]
    masks_only = SegmentationPredictOptions(outputs=["mask"])
    assert class_maps(ModelSettings(classes=NAMES), masks_only, 0.3) is None
