"""Write distributions that look installed, without an installer: modules beside their metadata in one folder."""

from __future__ import annotations

import os
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
        needed = "".join(f"Requires-Dist: {line}\n" for line in requires)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needed}\nA description.\n", "utf-8"
        )
        declared = "".join(f"{name} = {module}\n" for name, module in plugins.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{declared}", "utf-8")
        return info

    def environment(self, **variables: str) -> dict[str, str]:
        """This process's environment with the folder on the import path, and ``variables`` added."""
        others = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([str(self.folder), *([others] if others else [])])
        return {**os.environ, "PYTHONPATH": path, **variables}
