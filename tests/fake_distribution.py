"""Write distributions that look installed, without an installer: modules beside their metadata in one folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path


class FakeSite:
    """A folder that looks like ``site-packages``.

    Give a subprocess :meth:`environment`, or put :attr:`folder` on ``sys.path``, and everything in it is installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def install(
        self,
        distribution: str,
        files: Mapping[str, str],
        plugins: Mapping[str, str],
        *,
        version: str = "1.0",
        requires: Sequence[str] = (),
        group: str = "restore.plugins",
        summary: str = "A plugin.",
        license_expression: str = "MIT",
    ) -> Path:
        """Write ``files`` (path to text) and the metadata of a distribution that declares ``plugins`` (name to module).

        ``requires`` are its requirements, such as ``"restorekit>=2"``. Returns its ``dist-info`` folder.
        """
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        stated = {
            "Name": distribution,
            "Version": version,
            "Summary": summary,
            "License-Expression": license_expression,
        }
        lines = [f"{key}: {value}" for key, value in stated.items()] + [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", *lines, "", "A description.", ""]), "utf-8")
        declared = "".join(f"{name} = {module}\n" for name, module in plugins.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{declared}", "utf-8")
        return info

    def install_source(self, folder: Path) -> Path:
        """Install the distribution in a folder with ``pyproject.toml`` and ``src/``. Returns its ``dist-info``."""
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        source = folder / "src"
        files = {path.relative_to(source).as_posix(): path.read_text("utf-8") for path in source.rglob("*.py")}
        return self.install(
            project["name"],
            files,
            project["entry-points"]["restore.plugins"],
            version=project["version"],
            requires=project["dependencies"],
            summary=project["description"],
            license_expression=project["license"],
        )

    def run_tests(self, *folders: Path) -> str:
        """Run the tests in some folders in one other process, for which everything in this one is installed.

        Returns what pytest reports, with a line for each test.
        """
        options = ("-v", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", ".")
        command = [sys.executable, "-m", "pytest", *options, *map(str, folders)]
        done = subprocess.run(
            command,
            cwd=os.path.commonpath(folders),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=290,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self, **variables: str) -> dict[str, str]:
        """This process's environment with the folder on the import path, and ``variables`` added."""
        others = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([str(self.folder), *([others] if others else [])])
        return {**os.environ, "PYTHONPATH": path, **variables}
