"""Tables of measured numbers."""

from __future__ import annotations

import math

import pytest

from restore.cli.console.tables import format_table


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_a_metric_that_nobody_has_a_number_of_is_left_out() -> None:
    rows = [("mean", "psnr", "RGB", 20.0), ("mean", "psnr", "50-60 %", math.nan)]
    assert format_table(rows, "3 images") == ["3 images  psnr (RGB)", "mean         20.0000"]


def test_what_somebody_has_a_number_of_is_shown_for_all() -> None:
    rows = [("mean", "psnr", "RGB", math.nan), ("other", "psnr", "RGB", 20.0)]
    assert format_table(rows, "") == ["       psnr (RGB)", "mean          nan", "other     20.0000"]


def test_a_table_of_nothing_but_nan_says_so() -> None:
    assert format_table([("mean", "psnr", "RGB", math.nan)], "") == ["      psnr (RGB)", "mean         nan"]
