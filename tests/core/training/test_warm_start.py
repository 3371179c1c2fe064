"""A run begins with trained weights, whole or in part, and never needs them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pydantic import ValidationError
from torch import Tensor
from toy_tasks import OneNetwork, TwoPhases, toy_settings

from restore.core.errors import CheckpointError, ResumeError, UsageError, WeightsError
from restore.core.events import Event, RunStarted, StepDone
from restore.core.hashing import hash_file
from restore.core.optimizer_settings import OptimizerSettings
from restore.core.runs.checkpoints import load
from restore.core.runs.folder import read_config
from restore.core.runs.resuming import merge_settings
from restore.core.testing.training import require_same_runs
from restore.core.training.trainer import Trainer
from restore.core.weights.files import read_tensors
from restore.core.weights.header import read_header


def train(out: Path, name: str, kind: type[OneNetwork] = TwoPhases, **changes: Any) -> tuple[Path, RunStarted]:
    """Folder of a run that keeps every checkpoint, and what it said at its start."""
    settings = toy_settings(out, name=name, checkpoint_keep=99, **changes)
    events: list[Event] = []
    Trainer(kind, settings, name=f"toy/{kind.__name__}", listeners=[events.append]).fit()
    return out / name, next(event for event in events if isinstance(event, RunStarted))


def first(run: Path, group: str = "networks") -> dict[str, Tensor]:
    """What the networks of a run were before its first step."""
    return dict(load(run / "checkpoints" / "step-000000000").tensors[group])


def same(one: dict[str, Tensor], other: dict[str, Tensor], start: str = "") -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items() if name.startswith(start))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a discriminator."""
    return train(tmp_path_factory.mktemp("earlier"), "earlier", seed=7)[0]


def weights(run: Path) -> dict[str, Tensor]:
    path = run / "best.safetensors"
    return read_tensors(path, read_header(path))


def test_a_run_begins_with_the_best_weights_of_another_and_says_so(trained: Path, tmp_path: Path) -> None:
    fresh, said = train(tmp_path, "fresh")
    assert said.begins_with is None
    run, said = train(tmp_path, "run", init_from=trained)
    assert same(weights(trained), first(run))
    assert same(first(fresh), first(run), "discriminator.")  # which a weights file does not hold
    assert said.begins_with == f"4 of 4 tensors of net, from {trained / 'best.safetensors'} (toy/TwoPhases)"
    # a file is as good, and the whole run follows from it
    require_same_runs(run, train(tmp_path, "again", init_from=trained / "best.safetensors")[0])


def test_patterns_choose_parts_and_the_rest_stays_new(trained: Path, tmp_path: Path) -> None:
    fresh = first(train(tmp_path, "fresh")[0])
    run, said = train(tmp_path, "run", init_from=trained, init_filter=("net.0.*", "*2.bias"))
    taken = {"net.0.weight", "net.0.bias", "net.2.bias"}
    for name, value in weights(trained).items():
        assert torch.equal(first(run)[name], value if name in taken else fresh[name]), name
    assert (said.begins_with or "").startswith("3 of 4 tensors of net, from ")


@pytest.mark.parametrize("place", ["checkpoints", "checkpoints/step-000000008"])
def test_a_checkpoint_gives_the_discriminator_too(trained: Path, tmp_path: Path, place: str) -> None:
    last = load(trained / "checkpoints" / "step-000000008").tensors["networks"]
    run, said = train(tmp_path, "run", init_from=trained / place, init_filter=("discriminator.*",))
    assert same(first(run), dict(last), "discriminator.")
    assert not same(first(run), dict(last), "net.")
    assert "9 of 9 tensors of discriminator, from " in (said.begins_with or "")
    assert same(first(train(tmp_path, "whole", init_from=trained / place)[0]), dict(last))


def test_averages_begin_with_the_same_weights_and_a_checkpoint_gives_its_averages(
    trained: Path, tmp_path: Path
) -> None:
    run, _ = train(tmp_path, "run", init_from=trained, ema=0.9)
    assert same(weights(trained), first(run, "ema"))
    averages = load(run / "checkpoints" / "step-000000008").tensors["ema"]
    after, _ = train(tmp_path, "after", init_from=run / "checkpoints")
    assert same(dict(averages), first(after))


def test_the_config_tells_what_it_was_and_a_resumed_run_does_not_look(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "start.safetensors"
    file.write_bytes((trained / "best.safetensors").read_bytes())
    whole, _ = train(tmp_path, "whole", init_from=file)
    config = yaml.safe_load((whole / "config.yaml").read_text())
    assert (config["init_from"], config["init_sha256"]) == (str(file), hash_file(file))

    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == 3:
            raise Killed

    settings = toy_settings(tmp_path, name="killed", init_from=file, checkpoint_keep=99, checkpoint_every="2")
    with pytest.raises(Killed):
        Trainer(TwoPhases, settings, name="toy/TwoPhases", listeners=[kill]).fit()
    file.unlink()
    killed = tmp_path / "killed"
    again = merge_settings(type(settings), killed, {})
    Trainer(TwoPhases, again, name="toy/TwoPhases", resume=killed).fit()
    require_same_runs(whole, killed)
    assert yaml.safe_load((killed / "config.yaml").read_text())["init_sha256"] == config["init_sha256"]


@pytest.mark.parametrize("place", [".", "checkpoints", "best.safetensors"])
def test_the_same_settings_resume_a_run_that_began_with_a_folder(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(trained.parent)
    settings = toy_settings(tmp_path, name="run", init_from=Path(trained.name) / place)
    Trainer(TwoPhases, settings, name="toy/TwoPhases").fit()
    run = tmp_path / "run"
    before = read_config(run)
    Trainer(TwoPhases, settings, name="toy/TwoPhases", resume=run).fit()
    assert read_config(run) == before
    other = settings.model_copy(update={"init_from": tmp_path})
    with pytest.raises(ResumeError, match="init_from"):
        Trainer(TwoPhases, other, name="toy/TwoPhases", resume=run).fit()


def test_another_file_than_the_one_of_the_settings_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the file has the SHA-256"):
        train(tmp_path, "run", init_from=trained, init_sha256="0" * 64)
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_is_named(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"misshapen: net\.0\.weight is \(4, 1, 3, 3\), not \(5, 1, 3, 3\)"):
        train(tmp_path, "run", init_from=trained, model={"width": 5})
    with pytest.raises(WeightsError, match=r"unexpected: discriminator\.\* \(this run trains net\)\n"):
        train(tmp_path, "run", OneNetwork, init_from=trained / "checkpoints")
    with pytest.raises(UsageError, match=r"--init-filter encoder\.\*: no tensor in .* matches; it contains net\.\*"):
        train(tmp_path, "run", init_from=trained, init_filter=("net.*", "encoder.*"))
    run, _ = train(tmp_path, "run", OneNetwork, init_from=trained / "checkpoints", init_filter=("net.*",))
    assert run.is_dir()


def test_a_network_is_taken_whole_unless_parts_are_asked_for(trained: Path, tmp_path: Path) -> None:
    class Deeper(OneNetwork):
        def networks(self) -> dict[str, torch.nn.Module]:
            net = super().networks()["net"]
            assert isinstance(net, torch.nn.Sequential)
            return {"net": net.append(torch.nn.Conv2d(1, 1, 1))}

    with pytest.raises(WeightsError, match=r"missing: net\.3\.weight"):
        train(tmp_path, "run", Deeper, init_from=trained)
    _, said = train(tmp_path, "run", Deeper, init_from=trained, init_filter=("net.*",))
    assert (said.begins_with or "").startswith("4 of 6 tensors of net")


def test_foreign_missing_and_damaged_files_are_refused(trained: Path, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=r"restore import .*net\.pth"):
        train(tmp_path, "run", init_from=tmp_path / "net.pth")
    with pytest.raises(UsageError, match="no such file"):
        train(tmp_path, "run", init_from=tmp_path / "none")
    broken = tmp_path / "checkpoints" / "step-000000001"
    broken.mkdir(parents=True)
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        train(tmp_path, "run", init_from=broken.parent)
    with pytest.raises(ValidationError, match="need init_from"):
        toy_settings(tmp_path, init_filter=("net.*",))


def test_a_learning_rate_of_nothing_keeps_what_it_began_with(trained: Path, tmp_path: Path) -> None:
    still = OptimizerSettings(name="sgd", lr=1e-30, momentum=0)
    run, _ = train(tmp_path, "run", init_from=trained, optimizer=still, epochs=1)
    assert same(weights(run), weights(trained))
