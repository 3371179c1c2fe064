"""JSON of measured values."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from restore.core.json_text import dump_json


@dataclass(frozen=True)
class Measured:
    name: str
    value: float


def test_values_that_json_does_not_have_become_null_at_any_depth():
    text = dump_json({"metrics": [Measured("psnr", math.inf), Measured("ssim", math.nan)], "data": Path("a/b")})
    assert json.loads(text) == {
        "metrics": [{"name": "psnr", "value": None}, {"name": "ssim", "value": None}],
        "data": str(Path("a/b")),
    }


def test_without_an_indent_it_is_one_line_that_gives_back_every_digit():
    value = 0.1 + 0.2
    text = dump_json({"value": value}, indent=None)
    assert "\n" not in text
    assert json.loads(text)["value"] == value
