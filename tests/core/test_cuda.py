"""What only a GPU shows. ``RESTORE_TEST_DEVICE=cpu pytest -m cuda`` tries these tests themselves on a CPU."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from same_run import assert_same_run, final_state
from tasks_in_use import image, upscaling, used
from toy_tasks import Heads, OneNetwork, Penalty, TwoPhases, Variational, toy_settings

from restore.core.events import Event, StepDone
from restore.core.runtime.launching import Outcome, launch
from restore.core.training.trainer import Trainer

DEVICE: Any = os.environ.get("RESTORE_TEST_DEVICE", "cuda")
ADVERSARIAL = {"epochs": 3, "ema": 0.9}
TRAIN = Path(__file__).parents[1] / "processes" / "train_toy.py"

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="there is no CUDA device here"),
]
only_cuda = pytest.mark.skipif(DEVICE != "cuda", reason="a CPU does this otherwise, or not at all")


class Killed(BaseException):
    """Stands in for kill -9: nothing is saved on the way out."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Deterministic kernels are a switch of the whole process."""
    before = torch.backends.cudnn.benchmark, torch.are_deterministic_algorithms_enabled()
    yield
    torch.backends.cudnn.benchmark = before[0]
    torch.use_deterministic_algorithms(before[1])


def train(task: type[OneNetwork], out: Path, resume: Path | None = None, **changes: Any) -> Path:
    listeners: list[Callable[[Event], None]] = changes.pop("listeners", [])
    run = toy_settings(out, **{"device": DEVICE, "name": "run", **ADVERSARIAL, **changes})
    return Trainer(task, run, name=f"toy/{task.__name__}", resume=resume, listeners=listeners).fit().folder


@pytest.mark.parametrize("task", [TwoPhases, Penalty, Heads])
def test_a_run_on_a_gpu_learns_what_one_on_the_cpu_learns(task: type[OneNetwork], tmp_path: Path) -> None:
    here = final_state(train(task, tmp_path / "here", device=DEVICE))[0]
    there = final_state(train(task, tmp_path / "there", device="cpu"))[0]
    for name, tensor in there.tensors["networks"].items():
        torch.testing.assert_close(here.tensors["networks"][name], tensor, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("task", [TwoPhases, Penalty, Variational])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_with_deterministic_kernels_a_resumed_run_is_exact(
    task: type[OneNetwork], accumulate: int, tmp_path: Path
) -> None:
    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == 7:
            raise Killed

    changes = {"deterministic": True, "accumulate": accumulate, "checkpoint_every": "2"}
    whole = train(task, tmp_path / "whole", **changes)
    with pytest.raises(Killed):
        train(task, tmp_path / "killed", listeners=[kill], **changes)
    torch.randn(7, device=DEVICE)  # another process would not have this one's random state either
    resumed = train(task, tmp_path / "killed", resume=tmp_path / "killed" / "run", **changes)
    assert_same_run(whole, resumed)


@only_cuda
def test_fp16_scales_the_loss_of_each_optimizer_by_itself(tmp_path: Path) -> None:
    checkpoint, log = final_state(train(TwoPhases, tmp_path, precision="fp16"))
    assert {key.split("/")[0] for line in log for key in line if key.endswith("/gradient")} == {"net", "discriminator"}
    text = json.dumps(checkpoint.state)
    assert text.count("_growth_tracker") == 2  # one scaler an optimizer


@pytest.mark.parametrize("precision", ["bf16", pytest.param("fp16", marks=only_cuda)])
def test_half_precision_learns_nearly_as_much(precision: str, tmp_path: Path) -> None:
    last = {}
    for chosen in ("fp32", precision):
        log = final_state(train(OneNetwork, tmp_path / chosen, precision=chosen, epochs=8))[1]
        last[chosen] = [line["net/mse"] for line in log if "net/mse" in line][-1]
    assert last[precision] == pytest.approx(last["fp32"], rel=0.1)


def test_prediction_is_full_fp32_and_tiles_change_nothing() -> None:
    task = upscaling(4)
    pil_image = image(61, 47)
    expected = used(task, pil_image, tile=None)
    device = torch.device(DEVICE)
    task.network.to(device)
    for tile in (None, 16):
        found = used(task, pil_image, tile=tile, device=device).cpu()
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)  # TF32 would be off by 1e-3


@only_cuda
def test_a_tile_that_does_not_fit_is_halved() -> None:
    task = upscaling(4)
    pil_image = image(1024, 1024)
    expected = used(task, pil_image, tile=None)
    task.network.to("cuda")
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 96 * 2**20) / total)
    try:
        found = used(task, pil_image, tile=None, device=torch.device("cuda")).cpu()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("task", ["TwoPhases", "Penalty", "srgan/srgan"])
def test_two_processes_share_a_device_and_stay_equal(task: str, tmp_path: Path) -> None:
    """Batch normalization in the discriminator is part of it: on CUDA its buffers are broadcast in place."""
    changes = {"device": DEVICE, "epochs": 3, "checkpoint_every": "2", "deterministic": True}
    if "/" not in task:
        changes["accumulate"] = 2

    def run(out: Path, *what: str) -> Outcome:
        return launch([sys.executable, str(TRAIN), task, str(out), json.dumps(changes), "shared", *what], 2)

    assert run(tmp_path / "whole") == Outcome(0, None, None)
    assert run(tmp_path / "killed", "kill=5").status == 1
    assert run(tmp_path / "killed", "resume") == Outcome(0, None, None)
    assert_same_run(tmp_path / "whole" / "run", tmp_path / "killed" / "run")
