"""What listeners are told during a run, and what becomes of one that fails."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from toy_tasks import OneNetwork, TwoPhases, toy_settings

from restore.core.errors import Interrupted
from restore.core.events import (
    CheckpointSaved,
    Evaluated,
    Event,
    Logged,
    PhaseFinished,
    PhaseStarted,
    RunFailed,
    RunFinished,
    RunInterrupted,
    RunStarted,
    SamplesWritten,
    StepDone,
)
from restore.core.listeners import Listeners, PluginListener
from restore.core.training.trainer import Trainer

OF_A_WHOLE_RUN = (
    RunStarted, PhaseStarted, CheckpointSaved, StepDone, Logged, Evaluated, SamplesWritten, PhaseFinished, RunFinished,
)  # fmt: skip


def fail_at(kind: type[Event], error: BaseException, told: list[Event]) -> Callable[[Event], None]:
    def listener(event: Event) -> None:
        told.append(event)
        if isinstance(event, kind):
            raise error

    return listener


def test_a_listener_that_fails_is_reported_once_and_ends_neither_the_run_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: dict[type[Event], list[Event]] = {kind: [] for kind in OF_A_WHOLE_RUN}
    failing = [
        PluginListener(f"toy/{kind.__name__}", fail_at(kind, ValueError("no paper"), told[kind]), "toy", "toys==1.0")
        for kind in OF_A_WHOLE_RUN
    ]
    whole: list[Event] = []
    settings = toy_settings(tmp_path, name="run", log_every=3)
    with caplog.at_level(logging.WARNING):
        Trainer(TwoPhases, settings, name="toy/toy", listeners=[*failing, whole.append]).fit()
    for kind in OF_A_WHOLE_RUN:
        first = next(place for place, event in enumerate(whole) if isinstance(event, kind))
        assert told[kind] == whole[: first + 1]
        (line,) = [r.getMessage() for r in caplog.records if f"toy/{kind.__name__} of" in r.getMessage()]
        assert line.startswith(
            f"The listener toy/{kind.__name__} of plugin toy (toys==1.0) failed at {kind.__name__} and is not called "
            "again in this run: ValueError: no paper (test_listeners.py, line "
        )
    assert [type(event) for event in (whole[0], whole[-1])] == [RunStarted, RunFinished]


def test_the_config_of_a_run_names_the_plugins_of_its_listeners(tmp_path: Path) -> None:
    told: list[Event] = []
    listener = PluginListener("bells/ring", told.append, "bells", "restore-bells==2.0")
    settings = toy_settings(tmp_path, name="run", epochs=1)
    Trainer(OneNetwork, settings, name="toy/toy", plugins={"toy": None}, listeners=[listener]).fit()
    about = yaml.safe_load((tmp_path / "run/config.yaml").read_text())["run"]
    assert about["plugins"] == {"toy": None, "bells": "restore-bells==2.0"}
    assert isinstance(told[-1], RunFinished)


@pytest.mark.parametrize("error", [SystemExit(3), ValueError(), ZeroDivisionError("division by\nzero")])
def test_whatever_a_listener_raises_is_told_on_one_line(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    listeners = Listeners([fail_at(Event, error, [])])
    listeners(Event())
    listeners(Event())
    (record,) = caplog.records
    assert type(error).__name__ in record.getMessage()
    assert "\n" not in record.getMessage()


def test_ctrl_c_passes_through_a_listener() -> None:
    with pytest.raises(KeyboardInterrupt):
        Listeners([fail_at(Event, KeyboardInterrupt(), [])])(Event())


def test_the_last_event_of_a_run_that_fails_gives_the_error(tmp_path: Path) -> None:
    class Breaking(OneNetwork):
        def health(self, numbers: object) -> str:
            raise ZeroDivisionError("division by zero")

    told: list[Event] = []
    settings = toy_settings(tmp_path, name="run", log_every=3)
    with pytest.raises(ZeroDivisionError):
        Trainer(Breaking, settings, name="toy/toy", listeners=[told.append]).fit()
    (end,) = [event for event in told if isinstance(event, RunFailed | RunInterrupted | RunFinished)]
    assert end is told[-1]
    assert isinstance(end, RunFailed)
    assert (end.folder, end.run_step, end.error) == (tmp_path / "run", 3, "ZeroDivisionError: division by zero")


@pytest.mark.parametrize("times", [1, 2])
def test_the_last_event_of_an_interrupted_run_says_whether_it_is_saved(times: int, tmp_path: Path) -> None:
    told: list[Event] = []

    def press(event: Event) -> None:
        told.append(event)
        if isinstance(event, StepDone) and event.run_step == 2:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    settings = toy_settings(tmp_path, name="run")
    with pytest.raises((Interrupted, KeyboardInterrupt)):
        Trainer(OneNetwork, settings, name="toy/toy", listeners=[press]).fit()
    end = told[-1]
    assert isinstance(end, RunInterrupted)
    assert (end.folder, end.run_step, end.saved) == (tmp_path / "run", 2, times == 1)
    assert any(isinstance(event, CheckpointSaved) and event.run_step == 2 for event in told) == end.saved
