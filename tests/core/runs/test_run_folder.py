"""A run's folder holds everything that a person and a program look for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from torch import Tensor
from toy_tasks import Fixed, MeanSquaredError, Noise, OneNetwork, ToySettings, TwoPhases, toy_settings

from restore.core.dataset import Batch
from restore.core.errors import DataError, UsageError
from restore.core.evaluation import EvaluationInterrupted, evaluate
from restore.core.events import Evaluated, Event, Logged, SamplesWritten, Warned
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.runs.folder import Log, new_run_folder, read_config, read_task
from restore.core.runs.log_table import write_log_table
from restore.core.runs.sample_sheets import LARGEST, make_sheet
from restore.core.task import Task
from restore.core.training.trainer import Trainer
from restore.core.training_step import Phase
from restore.core.weights.header import read_header


class WithBaseline(TwoPhases):
    def baselines(self) -> dict[str, Task]:
        return {"invert": Fixed(self.settings)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    settings = toy_settings(tmp_path_factory.mktemp("run"), name="run", epochs=3, log_every=3, report=True)
    events: list[Event] = []
    Trainer(WithBaseline, settings, name="toy/two", listeners=[events.append]).fit()
    return settings.out / "run", events


def test_the_folder_has_its_files(run: tuple[Path, list[Event]]) -> None:
    names = {path.name for path in run[0].iterdir()}
    assert names == {
        "config.yaml", "metrics.jsonl", "log.csv", "history.jsonl", "tensorboard", "samples", "checkpoints",
        "summary.json", "report.html", "progress.png", "best.safetensors", "last.safetensors",
        "best-pretrain.safetensors",
        "best-adversarial.safetensors",
    }  # fmt: skip


def test_the_config_rebuilds_the_settings_and_says_what_else_mattered(run: tuple[Path, list[Event]]) -> None:
    settings = ToySettings.model_validate(read_config(run[0]))
    assert settings.epochs == 3
    assert read_task(run[0]) == "toy/two"
    about = yaml.safe_load((run[0] / "config.yaml").read_text())["run"]
    assert {"torch", "python", "device", "git", "restorekit"} <= about.keys()


def test_the_summary_compares_the_phases_with_the_baseline(run: tuple[Path, list[Event]]) -> None:
    summary = json.loads((run[0] / "summary.json").read_text())
    assert [metric["of"] for metric in summary["metrics"]] == ["invert", "pretrain", "adversarial"]
    named = {"name": "mse", "convention": "mean over pixels", "of": "invert"}
    assert summary["metrics"][0] == {**named, "value": 0.0, "images": 3, "left_out": 0}
    assert summary.keys() >= {"task", "seconds", "device", "precision", "weights", "metrics"}


def test_weights_say_which_phase_and_numbers_they_have(run: tuple[Path, list[Event]]) -> None:
    header = read_header(run[0] / "best.safetensors")
    assert (header.task, header.phase, header.model) == ("toy/two", "adversarial", {"width": 4})
    assert header.numbers[0]["convention"] == "mean over pixels"


def test_log_lines_are_averages_over_their_steps(run: tuple[Path, list[Event]]) -> None:
    lines = [json.loads(line) for line in (run[0] / "metrics.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in lines if line["kind"] == "train"]
    assert steps == [3, 4, 6, 8, 9, 12]  # every third step of the run, and the end of each epoch of four
    assert [line["step"] for line in lines if line["kind"] == "validation"] == [4, 8, 12]
    logged = [event for event in run[1] if isinstance(event, Logged)]
    assert {"net/mse", "discriminator/real", "d_real", "net/lr", "net/gradient", "discriminator/gradient"} <= logged[
        -1
    ].numbers.keys()


def test_the_log_table_has_a_row_for_each_evaluation(run: tuple[Path, list[Event]]) -> None:
    import csv

    with (run[0] / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["phase"]) for row in rows] == [
        ("1", "pretrain"),
        ("2", "adversarial"),
        ("3", "adversarial"),
    ]
    assert float(rows[0]["net/lr"]) == 0.01
    assert float(rows[2]["val_mse"]) > 0
    assert rows[0]["discriminator/real"] == ""
    assert float(rows[1]["discriminator/real"]) > 0


def test_metrics_of_one_name_have_their_conventions_in_the_log_table(tmp_path: Path) -> None:
    metrics = [{"name": "psnr", "convention": how, "value": value} for how, value in (("rgb", 1.0), ("Y", 2.0))]
    line = {
        "kind": "validation",
        "epoch": 0,
        "step": 4,
        "phase": "only",
        "metrics": [*metrics, {**metrics[0], "name": "ssim"}],
    }
    (tmp_path / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    write_log_table(tmp_path / "metrics.jsonl", tmp_path / "log.csv")
    heading, row = (tmp_path / "log.csv").read_text("utf-8").splitlines()
    assert heading == "epoch,step,phase,val_psnr (rgb),val_psnr (Y),val_ssim"
    assert row == "1,4,only,1.0,2.0,1.0"


def test_samples_are_images_that_can_be_opened(run: tuple[Path, list[Event]]) -> None:
    sheets = [event.path for event in run[1] if isinstance(event, SamplesWritten)]
    assert [path.name for path in sheets] == ["epoch-0001.png", "epoch-0002.png", "epoch-0003.png"]
    with Image.open(sheets[-1]) as image:
        assert image.size == (8 * 3 + 2 * 4, 8)


def test_a_named_folder_is_not_written_over(run: tuple[Path, list[Event]], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"already exists; continue it with --resume"):
        new_run_folder(toy_settings(run[0].parent, name="run"), "toy/two")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the run folder"):
        new_run_folder(toy_settings(tmp_path / "file"), "toy/two")
    first, second = (new_run_folder(toy_settings(tmp_path), "toy/two").path for _ in range(2))
    assert first != second
    assert first.name.startswith("two-")


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        read_config(tmp_path)
    (tmp_path / "config.yaml").write_text("epochs: 3\n")
    with pytest.raises(UsageError, match="does not name its task"):
        read_task(tmp_path)
    (tmp_path / "config.yaml").write_text("- just\n- a list\n")
    with pytest.raises(UsageError, match="not a run folder"):
        read_config(tmp_path / "config.yaml")
    with pytest.raises(UsageError, match="contains no settings"):
        read_config(tmp_path)
    (tmp_path / "config.yaml").write_text("a: [")
    with pytest.raises(UsageError, match="cannot be read"):
        read_config(tmp_path)


def test_a_log_is_cut_back_to_a_position(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write({"step": 1})
    position = log.position()
    log.write({"step": 2})
    log.close()
    log = Log(tmp_path / "log", position)
    log.write({"step": 3})
    log.close()
    assert (tmp_path / "log").read_text() == '{"step":1}\n{"step":3}\n'


def test_a_log_that_was_shortened_goes_on_from_what_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for left in (b'{"step":1}\n', b""):
        (tmp_path / "log").write_bytes(left + b'{"st' * bool(left))
        log = Log(tmp_path / "log", 99)
        log.write({"step": 3})
        log.close()
        assert (tmp_path / "log").read_bytes() == left + b'{"step":3}\n'
    assert "log is shorter than at the checkpoint" in caplog.text


def test_a_sheet_upscales_inputs_and_crops_large_images() -> None:
    sheet = make_sheet([[torch.zeros(1, 4, 4), torch.ones(3, 8, 8)], [torch.zeros(3, 500, 600)]])
    assert sheet.shape == (3, 8 + 4 + LARGEST, LARGEST)
    assert sheet[:, :8, :8].max() == 0


def test_an_evaluation_reduces_single_images_and_the_whole() -> None:
    task = OneNetwork(ToySettings())
    protocol = task.protocols()["plain"]
    fixed = Fixed(ToySettings())
    wrong = Noise(2, 8, seed=3, augment=False)
    result = evaluate(fixed, {}, wrong, protocol, of="invert")
    assert result.numbers[0].value == 0
    assert [row["image"] for row in result.per_image] == ["noise-0", "noise-1"]
    assert MeanSquaredError().reduce(torch.tensor([[2.0, 4.0], [0.0, 4.0]])) == 0.25
    with pytest.raises(DataError, match="no image"):
        evaluate(fixed, {}, Noise(0, 8, seed=0, augment=False), protocol, of="x")
    with pytest.raises(EvaluationInterrupted):
        evaluate(fixed, {}, wrong, protocol, of="x", stop=lambda: True)


def test_an_estimate_that_draws_is_the_same_each_time() -> None:
    class Drawing(Fixed):
        def predict(self, batch: Batch, networks: Networks) -> dict[str, Tensor]:
            return {"output": torch.rand_like(batch["input"])}

    task = Drawing(ToySettings())
    images, protocol = Noise(2, 8, seed=3, augment=False), task.protocols()["plain"]
    torch.manual_seed(1)
    values = []
    for _ in range(2):
        torch.rand(5)
        values.append(evaluate(task, {}, images, protocol, of="x").numbers[0].value)
    assert values[0] == values[1]
    torch.manual_seed(1)
    torch.rand(10)
    expected = torch.rand(3)
    torch.manual_seed(1)
    torch.rand(10)
    evaluate(task, {}, images, protocol, of="x")
    assert torch.equal(torch.rand(3), expected)


def test_a_run_whose_metric_is_never_a_number_still_ends_with_weights(tmp_path: Path) -> None:
    class NotANumber(OneNetwork):
        def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
            return {"mse": torch.full((1, 2), float("nan"), dtype=torch.float64)}

    settings = toy_settings(tmp_path, name="run")
    assert Trainer(NotANumber, settings, name="toy/toy").fit().weights.is_file()
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["metrics"][0]["value"] is None


def test_evaluations_tell_whose_they_are(run: tuple[Path, list[Event]]) -> None:
    evaluated = [event for event in run[1] if isinstance(event, Evaluated)]
    assert [event.phase for event in evaluated] == ["invert", "pretrain", "adversarial", "adversarial"]


def test_images_that_were_checked_are_not_made_again(tmp_path: Path) -> None:
    made: list[tuple[str, str]] = []

    class Counted(TwoPhases):
        def dataset(self, split: str, phase: Phase) -> Noise:
            made.append((split, phase.name))
            return super().dataset(split, phase)

    settings = toy_settings(tmp_path, name="run")
    Trainer(Counted, settings, name="toy/toy").fit()
    assert made == [(split, phase) for phase in ("pretrain", "adversarial") for split in ("train", "validation")]


def test_a_launcher_that_starts_one_process_of_several_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    settings = toy_settings(tmp_path, epochs=1)
    for address, warnings in ((None, 0), ("127.0.0.1", 1)):
        if address:
            monkeypatch.setenv("MASTER_ADDR", address)  # which accelerate launch sets where it wants several
        events: list[Event] = []
        Trainer(OneNetwork, settings, name="toy/toy", listeners=[events.append]).fit()
        told = [event.message for event in events if isinstance(event, Warned)]
        assert len(told) == warnings
        assert all("started one" in message and "--num-processes N" in message for message in told)
