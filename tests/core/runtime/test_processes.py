"""Several processes train what one would, and end together."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from processes import gradients

from restore.core.runs.checkpoints import load, load_newest
from restore.core.runtime import launching
from restore.core.runtime.launching import Outcome, launch

SCRIPTS = Path(__file__).parents[2] / "processes"


def test_gradients_do_not_depend_on_processes_and_micro_batches(two_processes: Any, one_thread: None) -> None:
    alone = gradients.every_gradient()
    two, other_rank = (torch.load(two_processes.folder / f"gradients.{rank}") for rank in range(2))
    assert all(torch.equal(gradient, two[name]) for name, gradient in other_rank.items()), "not averaged"
    for task in ("TwoPhases", "PenaltyFixedMix"):
        for name in ("net", "discriminator"):
            whole = alone[f"{task}/1/{name}"]
            for other in (alone[f"{task}/2/{name}"], two[f"{task}/1/{name}"], two[f"{task}/2/{name}"]):
                assert (other - whole).norm() / whole.norm() < 1e-6, f"{task}, {name}"


def train(task: str, out: Path, *what: str, processes: int = 2, **changes: Any) -> Outcome:
    command = [sys.executable, str(SCRIPTS / "train_toy.py"), task, str(out), json.dumps(changes), *what]
    return launch(command, processes)


def test_two_killed_processes_go_on_bit_for_bit(two_processes: Any, tmp_path: Path) -> None:
    earlier, whole_run = two_processes.folder / "earlier", two_processes.folder / "whole" / "run"
    killed = train("TwoPhases", tmp_path, "kill=7", **two_processes.changes, **two_processes.beginning)
    assert killed.status == 1
    taken = load_newest(earlier / "checkpoints", damaged=pytest.fail)[1].tensors["networks"]
    first = load(whole_run / "checkpoints" / "step-000000000").tensors["networks"]
    same = {name for name, tensor in taken.items() if torch.equal(tensor, first[name])}
    assert same == {name for name in taken if name.startswith(("discriminator.", "net.0."))}
    away = earlier.rename(tmp_path / "away")  # a resumed run does not need what it began with
    try:
        assert train("TwoPhases", tmp_path, "resume", "threads", **two_processes.changes) == Outcome(0, None, None)
    finally:
        away.rename(earlier)
    runs = (whole_run, tmp_path / "run")
    whole, resumed = (load_newest(run / "checkpoints", damaged=pytest.fail)[1] for run in runs)
    for group, tensors in whole.tensors.items():
        for name, tensor in tensors.items():
            assert torch.equal(tensor, resumed.tensors[group][name]), f"{group}/{name}"
    logs = [
        [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in log.read_text().splitlines()]
        for log in (run / "metrics.jsonl" for run in runs)
    ]
    assert logs[0] == logs[1]
    threads = [name for rank in range(2) for name in json.loads((tmp_path / f"threads.{rank}.json").read_text())]
    # one that needs Python's lock while the interpreter ends would abort the process; torch 2.6 keeps that of its store
    # of addresses (pt_tcpstore), which never needs it
    assert not [name for name in threads if "gloo" in name]


@pytest.mark.slow
def test_a_process_that_fails_in_training_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    outcome = train("TwoPhases", tmp_path, "fail")
    assert outcome.status == 1
    assert outcome.rank == 1
    assert outcome.message is not None
    assert "rank one broke" in outcome.message


def test_a_process_that_fails_ends_those_that_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "GRACE_AFTER_FAILURE", 0.2)
    code = (
        "import os, time; from restore.core.runtime.processes import report_failure\n"
        "if os.environ['RANK'] == '0': time.sleep(200)\n"
        "report_failure('rank one broke', 1); raise SystemExit(1)"
    )
    began = time.monotonic()
    assert launch([sys.executable, "-c", code], 2) == Outcome(1, "rank one broke", 1)
    assert time.monotonic() - began < 100


def test_of_several_failures_the_first_is_told(tmp_path: Path) -> None:
    """Each process meets the same mistake; those that wait for one that failed report the lost connection."""
    code = (
        "import os, time; from restore.core.runtime.processes import report_failure; rank = int(os.environ['RANK']);"
        "time.sleep(0.3 * (1 - rank)); report_failure(f'rank {rank} broke', 2); raise SystemExit(2)"
    )
    assert launch([sys.executable, "-c", code], 2) == Outcome(2, "rank 1 broke", 1)


@pytest.mark.parametrize("end", ["sys.exit(130)", "os.kill(os.getpid(), signal.SIGINT)"])
def test_processes_that_ctrl_c_ends_without_a_word_were_interrupted(end: str) -> None:
    code = f"import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); {end}"
    assert launch([sys.executable, "-c", code], 2) == Outcome(130, "Interrupted.", 0)


def test_launching_imports_no_torch() -> None:
    code = "import sys, restore.core.runtime.launching; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
