"""Several processes train what one would, and end together."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_tasks import TwoPhases, toy_settings

from restore.core.runs.checkpoints import load, load_newest
from restore.core.runtime.launching import Outcome, launch
from restore.core.training.trainer import Trainer

SCRIPTS = Path(__file__).parents[2] / "processes"


def gradients(processes: int, folder: Path) -> dict[str, torch.Tensor]:
    file = folder / str(processes)
    outcome = launch([sys.executable, str(SCRIPTS / "gradients.py"), str(file)], processes)
    assert outcome == Outcome(0, None, None)
    first, *others = (torch.load(f"{file}.{rank}") for rank in range(processes))
    for rank in others:
        assert all(torch.equal(gradient, first[name]) for name, gradient in rank.items()), "not averaged"
    return first


def test_gradients_do_not_depend_on_processes_and_micro_batches(tmp_path: Path) -> None:
    alone, two = gradients(1, tmp_path), gradients(2, tmp_path)
    for task in ("TwoPhases", "PenaltyFixedMix"):
        for name in ("net", "discriminator"):
            whole = alone[f"{task}/1/{name}"]
            for other in (alone[f"{task}/2/{name}"], two[f"{task}/1/{name}"], two[f"{task}/2/{name}"]):
                assert (other - whole).norm() / whole.norm() < 1e-6, f"{task}, {name}"


def train(task: str, out: Path, *what: str, processes: int = 2, **changes: Any) -> Outcome:
    command = [sys.executable, str(SCRIPTS / "train_toy.py"), task, str(out), json.dumps(changes), *what]
    return launch(command, processes)


def test_two_killed_processes_go_on_bit_for_bit(tmp_path: Path) -> None:
    earlier = toy_settings(tmp_path, name="earlier", seed=7)
    Trainer(TwoPhases, earlier, name="toy/toy").fit()
    beginning = {"init_from": str(tmp_path / "earlier" / "checkpoints"), "init_filter": ["discriminator.*", "net.0.*"]}
    changes = {"epochs": 3, "ema": 0.9, "checkpoint_every": "2", "checkpoint_keep": 99, "accumulate": 2, "workers": 0}
    assert train("TwoPhases", tmp_path / "whole", **changes, **beginning).status == 0
    killed = train("TwoPhases", tmp_path / "killed", "kill=7", **changes, **beginning)
    assert killed.status == 1
    taken = load_newest(tmp_path / "earlier" / "checkpoints", damaged=pytest.fail)[1].tensors["networks"]
    first = load(tmp_path / "whole" / "run" / "checkpoints" / "step-000000000").tensors["networks"]
    same = {name for name, tensor in taken.items() if torch.equal(tensor, first[name])}
    assert same == {name for name in taken if name.startswith(("discriminator.", "net.0."))}
    shutil.rmtree(tmp_path / "earlier")  # a resumed run does not need what it began with
    assert train("TwoPhases", tmp_path / "killed", "resume", **changes) == Outcome(0, None, None)
    whole, resumed = (
        load_newest(tmp_path / name / "run" / "checkpoints", damaged=pytest.fail)[1] for name in ("whole", "killed")
    )
    for group, tensors in whole.tensors.items():
        for name, tensor in tensors.items():
            assert torch.equal(tensor, resumed.tensors[group][name]), f"{group}/{name}"
    logs = [
        [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in log.read_text().splitlines()]
        for log in (tmp_path / name / "run" / "metrics.jsonl" for name in ("whole", "killed"))
    ]
    assert logs[0] == logs[1]


def test_a_failing_process_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    outcome = train("TwoPhases", tmp_path, "fail")
    assert outcome.status == 1
    assert outcome.rank == 1
    assert outcome.message is not None
    assert "rank one broke" in outcome.message


def test_processes_that_cannot_share_a_batch_say_so_once(tmp_path: Path) -> None:
    outcome = train("OneNetwork", tmp_path, batch_size=5)
    assert outcome.status == 2
    assert outcome.message is not None
    assert "split equally among 2 processes" in outcome.message


@pytest.mark.parametrize("end", ["sys.exit(130)", "os.kill(os.getpid(), signal.SIGINT)"])
def test_processes_that_ctrl_c_ends_without_a_word_were_interrupted(end: str) -> None:
    code = f"import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); {end}"
    assert launch([sys.executable, "-c", code], 2) == Outcome(130, "Interrupted.", 0)


def test_launching_imports_no_torch() -> None:
    code = "import sys, restore.core.runtime.launching; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
