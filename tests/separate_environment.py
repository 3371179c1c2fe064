"""Virtual environments that find what this one has installed, so that nothing has to be downloaded."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path


class Environment:
    """A fresh virtual environment with the libraries of this one behind its own.

    What is installed here as editable is not in it unless ``editable``: the files that make it importable are then
    obeyed, otherwise only what lies in ``site-packages`` itself is found.
    """

    def __init__(self, folder: Path, *, editable: bool) -> None:
        venv.create(folder, with_pip=False)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / Path(sys.executable).name
        packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
        behind = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
        lines = [f"import site; site.addsitedir({path!r})" if editable else path for path in behind]
        (packages / "behind.pth").write_text("\n".join(lines) + "\n", "utf-8")
        self.packages = packages

    def install(self, *what: str | Path) -> None:
        """Install distributions without their requirements, with the build tools of this environment and no network."""
        offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")
        _checked([sys.executable, "-m", "pip", "--python", str(self.python), "install", *offline, *map(str, what)])

    def run(self, *command: str | Path, folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment (``restore``, ``python``) in a folder."""
        program = self.python if command[0] == "python" else self.scripts / command[0]
        return _checked([str(program), *map(str, command[1:])], folder=folder, check=check)


def _checked(
    command: Sequence[str], folder: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    # what steers this Python, or the tests that run now, is not the environment's
    alone = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST_"))}
    done = subprocess.run(
        command, cwd=folder, env={**alone, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=280
    )
    assert not check or done.returncode == 0, f"{command} in {folder}:\n{done.stdout}\n{done.stderr}"
    return done
