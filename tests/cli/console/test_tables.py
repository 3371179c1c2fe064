"""Tables of measured numbers."""

from __future__ import annotations

import math

import pytest

from restore.cli.console.tables import Row, format_table


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_a_metric_that_nobody_has_a_number_of_is_left_out() -> None:
    rows = [Row("mean", "psnr", "RGB", 20.0), Row("mean", "psnr", "50-60 %", math.nan)]
    assert format_table(rows, "3 images") == ["3 images  psnr (RGB)", "mean         20.0000"]


def test_what_somebody_has_a_number_of_is_shown_for_all() -> None:
    rows = [Row("mean", "psnr", "RGB", math.nan), Row("other", "psnr", "RGB", 20.0)]
    assert format_table(rows, "") == ["       psnr (RGB)", "mean          nan", "other     20.0000"]


def test_a_table_of_nothing_but_nan_says_so() -> None:
    assert format_table([Row("mean", "psnr", "RGB", math.nan)], "") == ["      psnr (RGB)", "mean         nan"]


def test_a_value_that_leaves_images_out_says_so_in_every_form_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row("mean", "l1", "RGB", 20.0, " over 2 of 3 images"), Row("other", "l1", "RGB", 1.0)]
    assert format_table(rows, "")[1:] == ["mean   20.0000 over 2 of 3 images", "other" + "1.0000".rjust(28)]
    assert len({len(line) for line in format_table(rows, "")}) == 1
    monkeypatch.setenv("COLUMNS", "20")
    assert format_table(rows, "")[1].split("  ")[1].startswith("20.0000 over 2 of 3 images")
