"""The two adversarial losses, by hand; and the metrics that say who is recognized."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from restore.plugins.common.metrics import PrecomputedMetric
from restore.plugins.warpgan.metrics import Rank1, Verification, join_identity
from restore.plugins.warpgan.step import (
    CARICATURE,
    GENERATED,
    PHOTOGRAPH,
    identity_loss,
    kinds_of,
    patch_loss,
    texture_error,
)


def sure(classes: list[int], count: int) -> torch.Tensor:
    return 100 * torch.nn.functional.one_hot(torch.tensor(classes), count).float()


def test_undecided_networks_pay_the_logarithm_of_the_number_of_classes() -> None:
    identity = torch.tensor([0, 3])
    kinds = kinds_of(CARICATURE, identity)
    assert patch_loss(torch.zeros(2, 3, 4, 4), kinds).item() == pytest.approx(math.log(3))
    assert identity_loss(torch.zeros(2, 3 * 5), identity, kinds).item() == pytest.approx(math.log(15))


@pytest.mark.parametrize(("kind", "place"), [(CARICATURE, 2), (PHOTOGRAPH, 2 + 5), (GENERATED, 2 + 10)])
def test_a_person_has_a_class_of_each_kind(kind: int, place: int) -> None:
    identity = torch.tensor([2])
    kinds = kinds_of(kind, identity)
    assert identity_loss(sure([place], 15), identity, kinds) < 1e-6
    assert identity_loss(sure([(place + 5) % 15], 15), identity, kinds) > 50


def test_every_patch_of_an_image_has_its_kind() -> None:
    logits = sure([PHOTOGRAPH, CARICATURE], 3)[:, :, None, None].expand(-1, -1, 2, 2)
    assert patch_loss(logits, torch.tensor([PHOTOGRAPH, CARICATURE])) < 1e-6
    assert patch_loss(logits, torch.tensor([PHOTOGRAPH, GENERATED])).item() == pytest.approx(50)


def test_texture_errors_are_of_each_image() -> None:
    image = torch.zeros(2, 3, 4, 4)
    drawn = image + torch.tensor([0.0, 0.25]).view(2, 1, 1, 1)
    assert texture_error(drawn, image).tolist() == [0.0, 0.25]


def rows(identities: list[int], asked: list[list[float]], photographs: list[list[float]]) -> torch.Tensor:
    return join_identity(torch.tensor(identities), torch.tensor(asked), torch.tensor(photographs))


EAST, NORTH, NORTH_EAST = [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]


def test_rank_1_does_not_look_at_the_photograph_that_a_caricature_was_made_from() -> None:
    """Each is exactly like its own photograph, but the nearest of the others is the wrong person's for the second."""
    table = rows([0, 0, 1, 1], [EAST, NORTH, EAST, NORTH], [EAST, NORTH, EAST, NORTH])
    assert Rank1("rank-1", "").reduce(table) == 0.0
    table = rows([0, 0, 1, 1], [EAST, EAST, NORTH, NORTH], [EAST, EAST, NORTH, NORTH])
    assert Rank1("rank-1", "").reduce(table) == 1.0


def test_who_has_one_photograph_is_compared_with_that() -> None:
    assert Rank1("rank-1", "").reduce(rows([0, 1], [EAST, NORTH], [EAST, NORTH])) == 1.0
    assert Rank1("rank-1", "").reduce(rows([0, 1], [NORTH, EAST], [EAST, NORTH])) == 0.0


def test_verification_is_at_the_threshold_that_no_pair_of_strangers_passes() -> None:
    metric = Verification("verification", "")
    assert metric.reduce(rows([0, 1], [EAST, NORTH], [EAST, NORTH])) == 1.0
    assert metric.reduce(rows([0, 1], [NORTH_EAST, NORTH], [EAST, NORTH])) == 0.5  # one is as near to the stranger
    assert metric.reduce(rows([0, 0], [NORTH, EAST], [EAST, NORTH])) == 1.0  # there are no strangers


@pytest.mark.parametrize("metric", [Rank1("rank-1", ""), Verification("verification", "")])
def test_a_single_image_cannot_be_recognized_among_others(metric: Rank1 | Verification) -> None:
    assert math.isnan(metric.reduce(rows([0], [EAST], [EAST])))


@given(st.permutations(range(6)), st.floats(0.1, 10))
def test_neither_order_nor_length_of_features_changes_recognition(order: list[int], length: float) -> None:
    generator = torch.Generator().manual_seed(3)
    identities = torch.tensor([0, 0, 1, 1, 2, 2])
    asked, photographs = torch.randn(2, 6, 4, generator=generator)
    table = join_identity(identities, asked, photographs)
    for metric in (Rank1("rank-1", ""), Verification("verification", "")):
        changed = join_identity(identities, length * asked, photographs)[list(order)]
        assert metric.reduce(changed) == pytest.approx(metric.reduce(table))


def test_means_are_of_all_images() -> None:
    metric = PrecomputedMetric("inside", "share", "higher")
    assert metric.reduce(metric.measure(torch.tensor([True, False, True, True]), torch.zeros(4))) == 0.75
