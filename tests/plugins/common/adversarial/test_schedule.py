"""Epochs are shared out between two phases."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore.plugins.common.adversarial import schedule
from restore.plugins.common.adversarial.schedule import check_shares, shares
from restore.plugins.srgan.settings import SRGANSettings

some = st.none() | st.integers(0, 40)


def test_its_examples_are_true() -> None:
    assert doctest.testmod(schedule) == (0, 1)


@given(st.integers(1, 40), some, some)
def test_what_is_not_refused_adds_up_and_keeps_what_was_asked_for(
    epochs: int, pretrain: int | None, adversarial: int | None
) -> None:
    try:
        check_shares(epochs, pretrain, adversarial, given=True)
    except ValueError:
        return
    first, second = shares(epochs, pretrain, adversarial)
    assert first + second == epochs
    assert min(first, second) >= 0
    assert pretrain in (None, first)
    assert adversarial in (None, second)


@pytest.mark.parametrize(
    ("phases", "complaint"),
    [
        ((0, 0), "are both 0"),
        ((3, 4), "set --epochs 7, or leave one of the three out"),
        ((9, None), "the total"),
        ((None, 9), "the total"),
    ],
)
def test_what_does_not_add_up_is_refused(phases: tuple[int | None, int | None], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_shares(5, *phases, given=True)


def test_epochs_that_nobody_asked_for_follow_from_the_phases() -> None:
    check_shares(20, 3, 4, given=False)
    assert shares(20, 3, 4) == (3, 4)


def test_a_run_without_an_adversarial_phase_keeps_none_when_it_is_lengthened() -> None:
    settings = SRGANSettings(epochs=1, adversarial={"epochs": 0}).resolved()  # type: ignore[arg-type]
    for epochs in (2, 3):
        tree = settings.model_dump(mode="json") | {"epochs": epochs}
        settings = SRGANSettings.model_validate(tree).resolved()
        assert settings.split() == (epochs, 0)
    usual = SRGANSettings(epochs=10).resolved()
    longer = SRGANSettings.model_validate(usual.model_dump(mode="json") | {"epochs": 12})
    assert longer.split() == (usual.split()[0], 4)
