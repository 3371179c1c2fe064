"""Settings know their help, their bounds, and whether a resumed run may change them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.runs.resuming import changes
from restore.core.settings import Flag, ResumeSafe, RunSettings, Settings, leaves


class Model(Settings):
    scale: Annotated[int, Flag("--scale"), Field(ge=1)] = 4
    """How much larger."""


class Family(RunSettings):
    model: Model = Model()
    """What rebuilds the network."""
    epochs: int = 7
    optimizer: OptimizerSettings = OptimizerSettings(lr=1.0)
    sample_steps: ClassVar[int | None] = 30


def test_a_redeclared_field_keeps_its_help_bounds_and_marks() -> None:
    info = Family.model_fields["epochs"]
    assert Family().epochs == 7
    assert info.description == RunSettings.model_fields["epochs"].description
    assert any(isinstance(mark, ResumeSafe) for mark in info.metadata)
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Family(epochs=0)


def test_part_of_a_group_changes_that_part_alone() -> None:
    class Trained(RunSettings):
        optimizer: OptimizerSettings = OptimizerSettings(lr=3.0, schedule=ScheduleSettings(name="cosine", warmup=0.1))
        """The optimizer."""

    changed = Trained.model_validate({"optimizer": {"schedule": {"warmup": 0.2}}}).optimizer
    assert changed == OptimizerSettings(lr=3.0, schedule=ScheduleSettings(name="cosine", warmup=0.2))
    assert Trained(optimizer=OptimizerSettings()).optimizer.lr == OptimizerSettings().lr


def test_every_field_of_a_run_has_help() -> None:
    assert [path for path, info in leaves(Family) if not info.description] == []


def test_leaves_are_paths_into_groups() -> None:
    paths = [path for path, _ in leaves(Family)]
    assert ("model", "scale") in paths
    assert ("optimizer", "schedule", "name") in paths
    assert ("optimizer",) not in paths


def test_changes_are_found_leaf_by_leaf_with_their_permission() -> None:
    new = Family(workers=3, optimizer=OptimizerSettings(lr=2.0), out=Path("elsewhere"))
    found = {".".join(change.path): change.allowed for change in changes(Family(), new)}
    assert found == {"workers": True, "optimizer.lr": False, "out": False}


class Sampled(Family):
    @classmethod
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"epochs": 3, "optimizer": {"lr": 0.5}} if "seed" not in given else {}


def test_defaults_of_the_sample_lie_between_other_defaults_and_what_is_given() -> None:
    assert (Sampled().epochs, Sampled().optimizer.lr) == (3, 0.5)
    assert Sampled(epochs=7).epochs == 7
    assert Sampled.model_validate({"optimizer": {"lr": 1.0}}).optimizer.lr == 1.0
    assert Sampled.model_validate({"optimizer": {"weight_decay": 0.1}}).optimizer.lr == 0.5
    assert (Sampled(data=Path("photos")).epochs, Sampled(seed=1).epochs) == (7, 7)


def test_of_a_settings_object_only_what_was_set_wins_over_the_defaults_of_the_sample() -> None:
    given: list[Mapping[str, Any]] = []

    class Nested(RunSettings):
        part: Family = Family()

        @classmethod
        def sample_defaults(cls, given_now: Mapping[str, Any]) -> Mapping[str, Any]:
            given.append(given_now)
            return {"part": {"optimizer": {"lr": 0.5, "schedule": {"name": "cosine"}}}}

    found = Nested(part=Family(optimizer=OptimizerSettings(lr=2.0, weight_decay=0.1))).part.optimizer
    assert (found.lr, found.weight_decay, found.schedule.name) == (2.0, 0.1, "cosine")
    assert given[0] == {"part": {"optimizer": {"lr": 2.0, "weight_decay": 0.1}}}
    assert Nested(part=Family()).part.optimizer.lr == 0.5


def test_an_epoch_on_the_sample_has_a_number_of_steps_of_its_own() -> None:
    assert Family(batch_size=4).resolved().samples_per_epoch == 120
    assert Family(batch_size=4, samples_per_epoch=8).resolved().samples_per_epoch == 8
    assert Family(data=Path("photos")).resolved().samples_per_epoch is None
    assert RunSettings().resolved().samples_per_epoch is None


def test_unknown_settings_and_impossible_batches_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Family(epoch=3)
    with pytest.raises(ValidationError, match="multiple of accumulate"):
        Family(batch_size=10, accumulate=3)
    with pytest.raises(ValidationError, match="whole number"):
        Family(seed=True)


def test_settings_import_no_torch() -> None:
    code = (
        "import sys, restore.core, restore.core.settings, restore.core.errors\n"
        "assert not {'torch', 'torchvision', 'accelerate', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "typed", [{"epochs": True}, {"val_fraction": True}, {"ema": False}, {"optimizer": {"lr": True}}]
)
def test_yes_and_no_are_no_numbers(typed: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="number"):
        RunSettings.model_validate(typed) if "optimizer" not in typed else Family.model_validate(typed)
    assert RunSettings(compile=True).compile


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValidationError, match="momentum"):
        OptimizerSettings(name="sgd", nesterov=True, momentum=0)
    assert OptimizerSettings(name="adam", nesterov=True, momentum=0).nesterov
