"""``--compile`` changes the speed of training and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_tasks import Penalty, TwoPhases, toy_settings

from restore.core.events import Event, PhaseStarted, StepDone
from restore.core.training.trainer import Trainer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU"),
    pytest.mark.filterwarnings("default"),  # the compiler's own warnings are not ours to mend
]


@pytest.fixture(autouse=True)
def stance() -> Iterator[None]:
    yield
    torch.compiler.set_stance("default")


def refuse_to_compile_again(event: Event) -> None:
    """Two steps of a phase may compile; whoever compiles later would meet the recompile limit and go eager."""
    if isinstance(event, PhaseStarted):
        torch.compiler.set_stance("default")
    if isinstance(event, StepDone) and event.step == 2:
        torch.compiler.set_stance("fail_on_recompile")


@pytest.mark.parametrize("task", [TwoPhases, Penalty])
def test_a_compiled_run_equals_an_eager_one_and_never_compiles_again(task: type[TwoPhases], tmp_path: Path) -> None:
    weights = {}
    for compiled in (False, True):
        settings = toy_settings(tmp_path, name=str(compiled), epochs=4, first_epochs=2, compile=compiled)
        Trainer(task, settings, name="toy/toy", listeners=[refuse_to_compile_again]).fit()
        weights[compiled] = load_file(tmp_path / str(compiled) / "best.safetensors")
    assert weights[True].keys() == weights[False].keys()
    for name, tensor in weights[False].items():
        torch.testing.assert_close(weights[True][name], tensor, rtol=1e-3, atol=1e-4)
