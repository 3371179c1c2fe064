"""Processes that share tasks."""

import os
import time

import pytest
from pool_work import work

from restore.core.errors import ProcessFailed, RestoreError
from restore.core.runtime.worker_pool import share_tasks


def share(tasks, words="", count=2, interrupt=None):
    """Return what came back, by task, and how processes died."""
    reports, deaths = {}, {}

    def received(index, report):
        if interrupt is not None:
            interrupt(report)
        reports[index] = report

    share_tasks(work, (words,), tasks, count, received=received, died=lambda index, how: deaths.update({index: how}))
    return reports, deaths


def test_every_task_is_done_once_and_a_death_costs_only_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    tasks = ["a", "die", "b", "c", "die"]
    reports, deaths = share(tasks)
    assert {index: report[0] for index, report in reports.items()} == {0: "a", 2: "b", 3: "c"}
    # as many threads as one process has, since results depend on them, but patient ones
    assert {report[2:] for report in reports.values()} == {("3", "PASSIVE")}
    assert deaths == {1: "was killed (SIGKILL)", 4: "was killed (SIGKILL)"}
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.parametrize(
    ("words", "tasks", "error", "said"),
    [
        ("broken", ["a"], ProcessFailed, "there is nothing to work with"),
        ("", ["fail"], ProcessFailed, "ValueError: a bug"),
        ("dead", ["a"], RestoreError, "a worker process was killed .SIGKILL. before it began"),
    ],
)
def test_what_ends_all_the_work_is_told(words, tasks, error, said):
    with pytest.raises(error, match=said) as caught:
        share(tasks, words, count=1)
    assert caught.value.exit_status == (2 if words == "broken" else 1)


def test_an_interrupt_ends_the_others_which_clean_up(tmp_path):
    seen = []

    def interrupt(report):
        seen.append(report)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        share([tmp_path / "a", tmp_path / "b"], interrupt=interrupt)
    assert time.monotonic() - began < 50  # they would sleep longer
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)
    assert list(tmp_path.iterdir()) == []
