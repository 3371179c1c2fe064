"""A family called garden, installed in a folder of its own, and the command line run against it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app

ONLY_THESE = 'enabled = ["garden", "weeds"]\n'

PLUGIN = '''"""A family for tests."""

from restore.registry import CommandSpec, LossSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks():
    place = "restore_garden"
    return [
        TaskSpec(
            "grow-flowers",
            f"{place}.task:Grow",
            settings=f"{place}.settings:GrowSettings",
            predict=f"{place}.settings:PickSettings",
            evaluate=f"{place}.settings:WeighSettings",
            summary="Grows flowers.",
        ),
        TaskSpec("water", f"{place}.task:Water", settings=f"{place}.settings:WaterSettings", summary="Waters flowers."),
        TaskSpec(
            "rain",
            f"{place}.task:Rain",
            settings=f"{place}.settings:GrowSettings",
            evaluate=f"{place}.settings:WeighSettings",
            trains=False,
            summary="Falls without training.",
        ),
        TaskSpec(
            "snow", f"{place}.task:Rain", settings=f"{place}.settings:GrowSettings", trains=False, summary="Falls too."
        ),
        TaskSpec("no-reference", f"{place}.task:Absent", settings=f"{place}.settings:AbsentSettings"),
        TaskSpec("no-settings", f"{place}.task:Grow", settings=f"{place}.settings:NOT_A_CLASS"),
        TaskSpec("demanding", f"{place}.task:Grow", settings=f"{place}.settings:DemandingSettings"),
        TaskSpec("clashing", f"{place}.task:Grow", settings=f"{place}.settings:ClashingSettings"),
    ]


@hookimpl
def restore_losses():
    return [
        LossSpec("wilting", "restore_garden.task:wilting", role="pixel", summary="How much has wilted."),
        LossSpec("rot", "restore_garden.task:wilting", role="inpainting", summary="How much has rotted."),
    ]


@hookimpl
def restore_commands():
    place = "restore_garden"
    return [
        CommandSpec(
            "count",
            f"{place}.verbs:count",
            settings=f"{place}.settings:CountSettings",
            needs="nothing",
            summary="Counts flowers.",
        ),
        CommandSpec(
            "smell",
            f"{place}.verbs:smell",
            settings=f"{place}.settings:CountSettings",
            needs="weights",
            summary="Smells at a run.",
        ),
        CommandSpec(
            "bed dig",
            f"{place}.verbs:count",
            settings=f"{place}.settings:CountSettings",
            needs="nothing",
            summary="Digs a bed.",
        ),
    ]
'''

SETTINGS = '''"""Settings of the garden."""

import enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from restore.core.optimizer_settings import OptimizerSettings
from restore.core.settings import Flag, RegisteredName, RunSettings, Settings

print("the garden prints while it is imported")


class Color(enum.Enum):
    red = "red"
    blue = "blue"


class PlotSettings(Settings):
    """What rebuilds the plot."""

    scale: Annotated[Literal[2, 4, 8], Flag("--scale")] = 4
    """How many times larger."""
    width: Annotated[int, Field(ge=1, le=64)] = 4
    """Channels."""


class GrowSettings(RunSettings):
    """Without --data it grows on drawn noise [a sample]."""

    model: PlotSettings = PlotSettings()
    """The plot."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-2)
    """How it is tended."""
    shade: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the day in shade."""
    soil: Literal["clay", "sand"] | Path = "clay"
    """Kind of soil, or a folder of it."""
    color: Color = Color.red
    """Color of the flowers."""
    rows: list[Annotated[int, Field(ge=1)]] = [1, 2]
    """Flowers of each row."""
    notes: dict[str, int] = {}
    """Anything."""
    damage: Annotated[str, RegisteredName("losses", role="pixel"), Flag("--damage")] = "garden/wilting"
    """How damage is counted, by its registered name."""
    epochs: int = 2
    batch_size: int = 4
    samples_per_epoch: int | None = 8
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    sample_images: int = 0


class PondSettings(Settings):
    """What rebuilds the pond."""

    width: Annotated[int, Field(ge=1, le=64)] = 4
    """Channels."""


class WaterSettings(GrowSettings):
    """Has no scale."""

    model: PondSettings = PondSettings()
    """The pond."""


class DemandingSettings(GrowSettings):
    """Needs a name."""

    gardener: str
    """Who tends it."""


class ClashingSettings(GrowSettings):
    """Names a field as the command line names a flag."""

    resume: str = ""


class PickSettings(Settings):
    """Options of predict."""

    basket: Path | None = None
    """Where to put what is picked."""


class WeighSettings(Settings):
    """Options of evaluate."""

    scale: Literal[2, 4] = 4
    """Which scale to weigh with."""


class CountSettings(Settings):
    """Counts up."""

    to: Annotated[int, Field(ge=1)] = 3
    """How far."""


NOT_A_CLASS = {}
'''

TASK = '''"""The tasks of the garden."""

from pathlib import Path

from restore_garden.settings import GrowSettings, WaterSettings
from restore_garden.toy_tasks import Fixed, OneNetwork


class Grow(OneNetwork):
    settings_type = GrowSettings

    def evaluation_data(self, folder):
        return self.dataset("validation", None)


class Water(Grow):
    """Waters."""

    settings_type = WaterSettings


class Rain(Fixed):
    settings_type = GrowSettings


def wilting(amount: float = 1.0) -> float:
    """How much has wilted, in [0, 1]."""
    return amount
'''

VERBS = '''"""Verbs of the garden."""


def count(settings):
    print(*range(1, settings.to + 1))


def smell(task, modules, settings):
    print(type(task).__name__, sorted(modules), settings.to)
'''


@pytest.fixture(scope="session")
def garden(tmp_path_factory: pytest.TempPathFactory, fake_site: Any) -> Any:
    """The folder in which the garden is installed, beside a plugin that cannot be imported."""
    site = fake_site(tmp_path_factory.mktemp("garden") / "site-packages")
    toys = (Path(__file__).parents[1] / "toy_tasks.py").read_text("utf-8")
    files = {"__init__": PLUGIN, "settings": SETTINGS, "task": TASK, "verbs": VERBS, "toy_tasks": toys}
    site.install(
        "restore-garden",
        {f"restore_garden/{name}.py": text for name, text in files.items()},
        {"garden": "restore_garden"},
        version="1.2",
    )
    site.install("restore-weeds", {"restore_weeds.py": "import no_such_module\n"}, {"weeds": "restore_weeds"})
    return site


@pytest.fixture
def in_garden(garden: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a plugins.toml in which the garden is installed, and nothing else counts."""
    monkeypatch.syspath_prepend(str(garden.folder))
    import_module("restore_garden.settings")  # it prints when it is first imported, in whichever test comes first
    monkeypatch.delenv("RESTORE_PLUGINS_TOML", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "plugins.toml").write_text(ONLY_THESE)
    registry.reset()
    yield folder
    registry.reset()


@pytest.fixture
def restore(in_garden: Path) -> Callable[..., Any]:
    """Run a command line in this process: ``restore("train", "--help").stdout``; ``.stderr``, ``.exit_code`` too."""

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments), prog_name="restore")

    return run


@pytest.fixture
def restore_process(garden: Any, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command line in a process of its own, in an empty folder."""

    def run(*arguments: str, code: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, *(["-c", code] if code else ["-m", "restore.cli"]), *arguments]
        homes = {"XDG_CONFIG_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
        environment = garden.environment(**homes, COLUMNS="80", **variables)
        environment.pop("RESTORE_PLUGINS_TOML", None)
        return subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)

    return run


def without_spaces(text: str) -> str:
    """Text whose line breaks and indentation do not matter."""
    return " ".join(text.split())


@pytest.fixture
def flat() -> Callable[[str], str]:
    """``flat(text)``: wrapped help as one line."""
    return without_spaces
