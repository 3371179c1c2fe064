"""One toy run of two phases with a baseline, a warning and a changed setting, which the tests of reports look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from toy_tasks import Fixed, TwoPhases, toy_settings

from restore.core.runs.record import RunRecord, read_run
from restore.core.task import Task
from restore.core.training.trainer import Trainer


class Told(TwoPhases):
    def baselines(self) -> dict[str, Task]:
        return {"invert": Fixed(self.settings)}

    def health(self, numbers: Mapping[str, float]) -> str:
        return "the discriminator wins <early>; lower its learning rate"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = toy_settings(
        tmp_path_factory.mktemp("reports"), name="a run", epochs=4, log_every=2, first_epochs=2, seed=3, report=True
    )
    Trainer(Told, settings, name="toy/two", plugins={"toy": "restore-toy==1.0"}).fit()
    return settings.out / "a run"


@pytest.fixture
def record(finished: Path) -> RunRecord:
    return read_run(finished)
