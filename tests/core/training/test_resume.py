"""A run that is stopped anywhere and resumed equals, bit for bit, the run that was not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from same_run import assert_same_run, final_state
from toy_tasks import Heads, OneNetwork, Penalty, ToySettings, TwoPhases, Variational, toy_settings

from restore.core.errors import CheckpointError, Interrupted, ResumeError
from restore.core.events import Event, RunStarted, StepDone, Warned
from restore.core.runs.checkpoints import load_newest
from restore.core.runs.folder import read_config, read_task
from restore.core.runs.resuming import merge_settings
from restore.core.runtime import precision
from restore.core.training.trainer import Trainer

TASKS = {task.__name__: task for task in (TwoPhases, Penalty, Heads, Variational)}


class Killed(BaseException):
    """Stands in for kill -9: nothing is saved on the way out."""


def kill_at(step: int) -> Callable[[Event], None]:
    def listener(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == step:
            raise Killed

    return listener


def train(task: type[OneNetwork], run: ToySettings, **options: Any) -> Path:
    return Trainer(task, run, name=f"toy/{task.__name__}", **options).fit().folder


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The run of some settings that nobody disturbed, made once."""
    made: dict[str, Path] = {}

    def run(task: str, **changes: Any) -> Path:
        key = f"{task} {sorted(changes.items())}"
        if key not in made:
            made[key] = train(TASKS[task], toy_settings(tmp_path_factory.mktemp("whole"), epochs=3, ema=0.9, **changes))
        return made[key]

    return run


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    task=st.sampled_from(sorted(TASKS)),
    kill=st.integers(1, 11),
    every=st.sampled_from(["1", "3", "1e"]),
    accumulate=st.sampled_from([1, 2]),
)
def test_a_killed_run_goes_on_as_if_it_had_not_been(
    task: str,
    kill: int,
    every: str,
    accumulate: int,
    uninterrupted: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    run = toy_settings(
        tmp_path_factory.mktemp("killed"), name="run", epochs=3, ema=0.9, checkpoint_every=every, accumulate=accumulate
    )
    with pytest.raises(Killed):
        train(TASKS[task], run, listeners=[kill_at(kill)])
    torch.randn(7)  # another process would not have this one's RNG state either
    resumed = train(TASKS[task], run, resume=run.out / "run")
    assert_same_run(uninterrupted(task, accumulate=accumulate), resumed)


def test_workers_change_nothing(uninterrupted: Callable[..., Path], tmp_path: Path) -> None:
    with_workers = train(TwoPhases, toy_settings(tmp_path, epochs=3, ema=0.9, workers=2))
    assert_same_run(uninterrupted("TwoPhases"), with_workers)


def test_a_run_is_a_function_of_its_seed(uninterrupted: Callable[..., Path], tmp_path: Path) -> None:
    again = train(TwoPhases, toy_settings(tmp_path / "again", epochs=3, ema=0.9))
    other = train(TwoPhases, toy_settings(tmp_path / "other", epochs=3, ema=0.9, seed=1))
    assert_same_run(uninterrupted("TwoPhases"), again)
    assert final_state(other)[1] != final_state(again)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_step_and_the_run_goes_on(
    number: signal.Signals, uninterrupted: Callable[..., Path], tmp_path: Path
) -> None:
    def send(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == 6:
            os.kill(os.getpid(), number)

    run, before = toy_settings(tmp_path, name="run", epochs=3, ema=0.9), signal.getsignal(number)
    with pytest.raises(Interrupted, match="step 6") as stopped:
        train(TwoPhases, run, listeners=[send])
    assert stopped.value.folder == tmp_path / "run"
    assert stopped.value.exit_status == 130
    assert signal.getsignal(number) is before
    resumed = train(TwoPhases, run, resume=tmp_path / "run")
    assert_same_run(uninterrupted("TwoPhases"), resumed)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used(
    uninterrupted: Callable[..., Path], tmp_path: Path
) -> None:
    run = toy_settings(tmp_path, name="run", epochs=3, ema=0.9, checkpoint_every="2", checkpoint_keep=3)
    with pytest.raises(Killed):
        train(TwoPhases, run, listeners=[kill_at(7)])
    newest = sorted((tmp_path / "run" / "checkpoints").glob("step-*"))[-1]
    torn = (newest / "networks.safetensors").read_bytes()
    (newest / "networks.safetensors").write_bytes(torn[:-8] + b"\0" * 8)
    events: list[Event] = []
    resumed = train(TwoPhases, run, resume=tmp_path / "run", listeners=[events.append])
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert any(newest.name in message and "networks.safetensors" in message for message in warnings)
    assert next(event for event in events if isinstance(event, RunStarted)).resumed_at == 4
    assert_same_run(uninterrupted("TwoPhases"), resumed)


def test_a_run_without_any_whole_checkpoint_says_so(tmp_path: Path) -> None:
    run = toy_settings(tmp_path, name="run")
    folder = train(OneNetwork, run)
    for manifest in folder.glob("checkpoints/*/manifest.json"):
        manifest.write_text("{")
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        train(OneNetwork, run, resume=folder)


def test_more_epochs_continue_a_finished_run(tmp_path: Path) -> None:
    run = toy_settings(tmp_path, name="run", epochs=2)
    folder = train(OneNetwork, run)
    longer = merge_settings(ToySettings, folder, {"epochs": 4})
    train(OneNetwork, longer, resume=folder)
    whole = train(OneNetwork, toy_settings(tmp_path, name="whole", epochs=4))
    assert_same_run(folder, whole)  # a constant learning rate does not depend on the number of epochs


def test_fewer_epochs_than_are_done_are_refused_and_the_config_stays(tmp_path: Path) -> None:
    run = toy_settings(tmp_path, name="run", epochs=4, first_epochs=2)
    folder = train(TwoPhases, run)
    before = (folder / "config.yaml").read_text()
    for epochs in (1, 3):
        with pytest.raises(ResumeError, match="4 epochs are done, 2 of them in phase 'adversarial'"):
            train(TwoPhases, merge_settings(ToySettings, folder, {"epochs": epochs}), resume=folder)
    assert (folder / "config.yaml").read_text() == before


def test_a_new_plan_and_a_finished_run_are_said(tmp_path: Path) -> None:
    run = toy_settings(tmp_path, name="run", epochs=3)
    folder = train(TwoPhases, run)
    events: list[Event] = []
    train(TwoPhases, run, resume=folder, listeners=[events.append])
    train(TwoPhases, merge_settings(ToySettings, folder, {"epochs": 4}), resume=folder, listeners=[events.append])
    said = [event.message for event in events if isinstance(event, Warned)]
    assert "this run is finished" in said[0]
    assert "1 pretrain, 3 adversarial epochs (was: 1 pretrain, 2 adversarial)" in said[1]


def test_a_phase_may_be_added_to_a_finished_run(tmp_path: Path) -> None:
    folder = train(TwoPhases, toy_settings(tmp_path, name="run", epochs=1))
    longer = merge_settings(ToySettings, folder, {"epochs": 2})
    train(TwoPhases, longer, resume=folder)
    assert (folder / "best-adversarial.safetensors").is_file()


def test_a_changed_setting_is_refused_with_the_difference(tmp_path: Path) -> None:
    folder = train(OneNetwork, toy_settings(tmp_path, name="run"))
    with pytest.raises(ResumeError, match=r"optimizer\.lr: 0\.01 -> 0\.5") as refused:
        merge_settings(ToySettings, folder, {"optimizer": {"lr": 0.5}, "seed": 3, "workers": 1})
    assert "seed: 0 -> 3" in str(refused.value)
    assert "workers" not in str(refused.value)
    assert merge_settings(ToySettings, folder, {"workers": 1}).workers == 1
    assert read_task(folder) == "toy/OneNetwork"


def test_a_checkpoint_of_another_version_is_refused_in_words(tmp_path: Path) -> None:
    from restore.core.runs.checkpoints import save

    run = toy_settings(tmp_path, name="run")
    folder = train(OneNetwork, run)
    _, checkpoint = load_newest(folder / "checkpoints", damaged=pytest.fail)
    checkpoint.state.pop("planned")
    save(folder / "checkpoints", 99, checkpoint, keep=1)
    with pytest.raises(CheckpointError, match="its state was written by another one"):
        train(OneNetwork, run, resume=folder)


def test_a_resumed_run_keeps_its_precision_on_other_hardware(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "cpu_features", lambda: frozenset({"avx512_bf16"}))
    run = toy_settings(tmp_path, precision="auto")
    folder = train(TwoPhases, run)
    assert read_config(folder)["precision"] == "bf16"
    monkeypatch.setattr(precision, "cpu_features", lambda: frozenset({"avx2"}))
    assert precision.choose("auto", torch.device("cpu")) == "fp32"
    assert merge_settings(ToySettings, folder, {}).precision == "bf16"
