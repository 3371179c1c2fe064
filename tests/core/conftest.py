"""What the tests of the engine share."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from toy_tasks import TwoPhases, toy_settings

from restore.core.runtime.launching import Outcome, launch
from restore.core.training.trainer import Trainer

SCRIPT = Path(__file__).parents[1] / "processes" / "together.py"


@dataclass(frozen=True)
class TwoProcesses:
    """What two processes did, see ``processes/together.py``."""

    folder: Path
    changes: dict[str, Any]
    """Settings of the run ``whole/run``, but for what it begins with."""
    beginning: dict[str, Any]
    """The settings that name what it begins with, of the run ``earlier``."""


@pytest.fixture(scope="session")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> TwoProcesses:
    """Two processes that were started once, since starting them takes most of the time of such a test."""
    folder = tmp_path_factory.mktemp("together")
    Trainer(TwoPhases, toy_settings(folder, name="earlier", seed=7), name="toy/toy").fit()
    beginning = {"init_from": str(folder / "earlier" / "checkpoints"), "init_filter": ["discriminator.*", "net.0.*"]}
    changes = {"epochs": 3, "ema": 0.9, "checkpoint_every": "2", "checkpoint_keep": 99, "accumulate": 2, "workers": 0}
    outcome = launch([sys.executable, str(SCRIPT), str(folder), json.dumps({**changes, **beginning})], 2)
    assert outcome == Outcome(0, None, None)
    return TwoProcesses(folder, changes, beginning)
