"""The contract of registered metrics, on metrics that keep it and on metrics that break it in one way each."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from restore import registry
from restore.core.contracts import UnfitForRole
from restore.core.metric_contracts import check_metric, check_protocol
from restore.core.metrics import NoReferenceMetric, PartialMetric
from restore.core.testing import check_component
from restore.core.testing.under_test import NotApplicable


class Good:
    name, convention, better = "error", "RGB", "lower"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).double().square().flatten(1).mean(1, keepdim=True)

    def reduce(self, rows: Tensor) -> float:
        return float(rows.mean())


class Unnamed(Good):
    name = ""


class WithoutConvention(Good):
    convention = " "


class Sideways(Good):
    better = "left"


class TurnedAround(Good):
    better = "higher"


class Constant(Good):
    def reduce(self, rows: Tensor) -> float:
        return 1.0


class Single(Good):
    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().measure(prediction, target).float()


class OneRow(Good):
    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().measure(prediction, target).mean(0, keepdim=True)


class OfTheBatch(Good):
    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        rows = super().measure(prediction, target)
        return rows + len(rows)


class Infinite(Good):
    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().measure(prediction, target) / 0


class Spoiling(Good):
    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        rows = super().measure(prediction, target)
        prediction.zero_()
        return rows


class TensorResult(Good):
    def reduce(self, rows: Tensor) -> Any:
        return rows.mean()


class Undefined(Good):
    def reduce(self, rows: Tensor) -> float:
        return float("nan")


class UndefinedInPart(PartialMetric, Undefined):
    pass


class ColorOnly(Good):
    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        if target.shape[1] != 3:
            raise ValueError("no color")
        return super().measure(prediction, target)


class Blind(NoReferenceMetric, Good):
    """Better for noise than for the target."""

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        return -prediction.double().flatten(1).std(1, keepdim=True)


class Peeking(NoReferenceMetric, Good):
    pass


@pytest.mark.parametrize("metric", [Good(), UndefinedInPart(), Blind()], ids=lambda each: type(each).__name__)
def test_what_keeps_the_contract_is_accepted(metric: Any) -> None:
    check_metric(metric, "image", "mine/error")


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        (Unnamed(), "has '' as its name, not one line of text"),
        (WithoutConvention(), "has ' ' as its convention"),
        (Sideways(), "has 'left' as 'better', not 'higher' or 'lower'"),
        (object(), "has None as its name"),
        (TurnedAround(), "gives 0 to predictions that equal their targets"),
        (Constant(), "gives 1 to predictions that equal their targets and 1 to noisy ones"),
        (Single(), "returns statistics that are torch.float32, not float64"),
        (OneRow(), "returns statistics of shape (1, 1) for two images, not (2, K)"),
        (OfTheBatch(), "depend on the other images of its batch"),
        (Infinite(), "returns statistics that are not finite"),
        (Spoiling(), "changes the images that it is given"),
        (TensorResult(), "reduces statistics to Tensor, not to a float"),
        (Undefined(), "reduces the statistics of two images to NaN"),
        (Peeking(), "depends on the target, although it says that it does not"),
        (ColorOnly(), "fails with ValueError: no color"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_breaks_the_contract_is_refused_in_one_sentence(metric: Any, problem: str) -> None:
    with pytest.raises(UnfitForRole) as raised:
        check_metric(metric, "image", "mine/error")
    assert str(raised.value).startswith("metric mine/error cannot be used for image: it ")
    assert problem in str(raised.value)


def test_an_inpainting_metric_needs_the_mask() -> None:
    with pytest.raises(UnfitForRole, match=r"has no method measure_inside\(\)"):
        check_metric(Good(), "inpainting", "mine/error")


@pytest.mark.parametrize("protocol", [{}, [Good()], {"error": TurnedAround()}])
def test_a_protocol_is_a_mapping_of_metrics_that_keep_the_contract(protocol: Any) -> None:
    check_protocol({"error": Good()}, "image", "mine/table")
    with pytest.raises(UnfitForRole, match="mine/table"):
        check_protocol(protocol, "image", "mine/table")


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    "entry",
    [
        entry
        for kind in ("metrics", "protocols")
        for entry in registry.entries(kind)
        if not getattr(entry.spec, "fetches", False)
    ],
    ids=lambda entry: f"{entry.kind}-{entry.full_name}",
)
def test_everything_that_is_registered_keeps_the_contract(entry: registry.Entry) -> None:
    check_component(entry)


def test_random_numbers_of_others_stay_what_they_were() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    check_metric(Good(), "image", "mine/error")
    assert torch.equal(torch.rand(1), expected)


def test_a_metric_that_may_fetch_weights_is_not_built_by_checks() -> None:
    with pytest.raises(NotApplicable, match="may fetch weights"):
        check_component(registry.entry("metrics", "common/lpips"))
