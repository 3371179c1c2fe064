"""The family in ``garden/``, installed in a folder of its own, and the command line run against it."""

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


@pytest.fixture(scope="session")
def garden(tmp_path_factory: pytest.TempPathFactory, fake_site: Any) -> Any:
    """The folder in which the garden is installed, beside a plugin that cannot be imported."""
    site = fake_site(tmp_path_factory.mktemp("garden") / "site-packages")
    here = Path(__file__).parent
    files = [*(here / "garden").glob("*.py"), here.parent / "toy_tasks.py"]
    modules = {f"restore_garden/{file.name}": file.read_text("utf-8") for file in files}
    site.install("restore-garden", modules, {"garden": "restore_garden"}, version="1.2")
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
