"""Differences between models of which one failed on an image."""

from __future__ import annotations

from math import inf

import pytest
import torch

from restore.cli.commands.evaluation_statistics import explain_unequal, list_differences
from restore.core.metrics import MetricResult
from restore.core.reduction import Evaluation
from restore.plugins.common.metrics import PrecomputedMetric


def evaluation(of: str, values: dict[str, float], convention: str = "as it is") -> Evaluation:
    metric = PrecomputedMetric("value", convention)
    rows = torch.tensor([[value] for value in values.values()], dtype=torch.float64)
    named = {"name": "value", "convention": convention, "of": of}
    per_image = [{"image": image, **named, "value": value} for image, value in values.items()]
    return Evaluation([MetricResult("value", convention, of, metric.reduce(rows))], per_image, (), [metric], [rows])


def test_only_images_that_both_have_measured_are_compared() -> None:
    one = evaluation("one", {"a": 1.0, "b": 2.0, "c": 3.0})
    other = evaluation("other", {"b": 1.5, "c": 2.5, "d": 90.0})
    (found,) = list_differences([one, other])
    assert (found["of"], found["minus"], found["images"]) == ("one", "other", 2)
    assert found["value"] == pytest.approx(0.5)


def test_metrics_of_other_conventions_and_single_images_are_not_compared() -> None:
    one = evaluation("one", {"a": 1.0, "b": 2.0})
    assert list_differences([one, evaluation("other", {"a": 1.0, "b": 2.0}, "rounded")]) == []
    assert list_differences([one, evaluation("other", {"a": 1.0, "c": 2.0})]) == []
    assert list_differences([one]) == []


def test_values_of_different_images_are_told_over_those_that_count_for_all() -> None:
    one, other = evaluation("one", {"a": 1.0, "b": 2.0, "c": 9.0}), evaluation("other", {"a": 3.0, "b": 5.0, "c": inf})
    assert explain_unequal([one, other]) == [
        "value (as it is) leaves out different images of each model, so compare the values over the 2 of 3 images that "
        "count for all: one 1.5000, other 4.0000"
    ]
    assert explain_unequal([one, one]) == explain_unequal([one]) == []
    assert explain_unequal([one, evaluation("far", {"a": inf, "b": inf, "c": inf})]) == []
