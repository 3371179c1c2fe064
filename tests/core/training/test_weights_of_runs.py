"""The weights of a run say what they were trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_tasks import OneNetwork, toy_settings

from restore.core.training.trainer import Trainer
from restore.core.training.validation import describe_data
from restore.core.weights.header import read_header
from restore.plugins.restorer.settings import RestorerSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "the built-in sample"),
        ({"dataset": {"name": "restorer/noisy"}}, "the built-in sample"),
        ({"dataset": {"name": "restorer/degraded"}}, "the dataset restorer/degraded"),
        ({"data": "/home/me/photos"}, "the folder photos"),
        (
            {"data": "/home/me/photos", "init_from": "/x/old.safetensors"},
            "the folder photos, starting from old.safetensors",
        ),
        ({"init_from": "/x/old.safetensors"}, "the built-in sample, starting from old.safetensors"),
    ],
)
def test_data_are_told_without_their_place(given: dict[str, object], said: str) -> None:
    assert describe_data(RestorerSettings.model_validate(given)) == said


def test_every_weights_file_of_a_run_says_it(tmp_path: Path) -> None:
    run = Trainer(OneNetwork, toy_settings(tmp_path, epochs=1), name="toy/toy").fit().folder
    files = [path for path in run.glob("*.safetensors") if path.name.startswith(("best", "last"))]
    assert len(files) >= 2
    assert all(read_header(path).on_sample for path in files)
