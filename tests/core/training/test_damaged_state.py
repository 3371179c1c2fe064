"""A run whose config or state was changed by hand, or cut, is refused in one message; nothing else comes up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_tasks import OneNetwork, ToySettings, toy_settings

from restore.core.errors import CheckpointError, ResumeError
from restore.core.hashing import hash_file
from restore.core.runs.resuming import merge_settings
from restore.core.training.trainer import Trainer

State = dict[str, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = toy_settings(tmp_path_factory.mktemp("finished"), epochs=1)
    return Trainer(OneNetwork, settings, name="toy/toy").fit().folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def resume(run: Path) -> None:
    Trainer(OneNetwork, merge_settings(ToySettings, run, {"epochs": 2}), name="toy/toy", resume=run).fit()


def remove_ranks(state: State) -> None:
    state["ranks"] = -1


def age_random_state(state: State) -> None:
    state["ranks"][0]["rng"]["python"][0] = 99


def empty_numbers(state: State) -> None:
    state["progress"]["numbers"] = {"toy": None}


def unname_number(state: State) -> None:
    state["progress"]["numbers"] = {"toy": [{"convention": "", "of": "", "value": 1.0}]}


def turn_epoch(state: State) -> None:
    state["progress"]["epoch"] = -1


def write_text_as_step(state: State) -> None:
    state["progress"]["run_step"] = "4"


def break_optimizer_key(state: State) -> None:
    plain = next(iter(state["optimizers"].values()))
    plain["state"]["0"] = 1


def lose_optimizers(state: State) -> None:
    state["optimizers"] = {}


def lose_data(state: State) -> None:
    state["data"] = None


@pytest.mark.parametrize(
    "change",
    [
        remove_ranks, age_random_state, empty_numbers, unname_number, turn_epoch, write_text_as_step,
        break_optimizer_key, lose_optimizers, lose_data,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_a_state_of_another_form_is_refused(run: Path, change: Callable[[State], None]) -> None:
    for folder in (run / "checkpoints").glob("step-*"):
        state = json.loads((folder / "state.json").read_text())
        change(state)
        (folder / "state.json").write_text(json.dumps(state))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["state.json"] = hash_file(folder / "state.json")
        (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match=r"checkpoints.*cannot be resumed with this version of restorekit"):
        resume(run)


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"../../x": "0"}', '{"state.json": 4}', "null", "[" * 100_000])
def test_a_manifest_of_another_form_is_refused(run: Path, manifest: str) -> None:
    for folder in (run / "checkpoints").glob("step-*"):
        (folder / "manifest.json").write_text(manifest)
    with pytest.raises(CheckpointError, match="contains no readable checkpoint"):
        resume(run)


def test_a_config_that_was_cut_off_does_not_become_one_of_defaults(run: Path) -> None:
    lines = (run / "config.yaml").read_text().splitlines(keepends=True)
    (run / "config.yaml").write_text("".join(lines[:-1]))
    with pytest.raises(ResumeError, match=r"config\.yaml is truncated: it lacks "):
        resume(run)


def test_a_config_of_another_version_may_lack_what_was_added_since(run: Path) -> None:
    text = (run / "config.yaml").read_text()
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(("log_every:", "  restorekit:"))]
    (run / "config.yaml").write_text("".join(lines))
    assert merge_settings(ToySettings, run, {}).log_every == ToySettings().log_every
