"""Preparation and table of `gpu.sh`; needs only the standard library.

python benchmarks/gpu_prepare.py FOLDER --device cuda    make the tree importable from FOLDER, without installing it
python benchmarks/gpu_prepare.py --table ROWS            print the rows of all steps as one table
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TESTS = ["pytest", "pytest-timeout", "hypothesis"]
NEED_TORCH = ("torchvision", "accelerate")
"""Libraries with which pip would bring another torch."""
COLUMNS = {
    "step": "step",
    "result": "result",
    "seconds": "seconds",
    "images_per_second": "images/s",
    "device_waits": "GPU waits",
    "data_wait": "for data",
    "peak_gib": "peak GiB",
    "note": "note",
}


def main() -> int:
    """Prepare, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_args()
    if arguments.table:
        rows = [json.loads(line) for line in arguments.table.read_text("utf-8").splitlines()]
        print("\n".join(table(rows)))
        return 0
    fault = missing() or no_device(arguments.device)
    if fault:
        print(f"gpu.sh: {fault}", file=sys.stderr)
        return 2
    link(arguments.folder)
    return 0


def project() -> dict[str, Any]:
    """Return the ``[project]`` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def missing() -> str | None:
    """Return which libraries are missing and how to get them; None if all are installed, in any version."""
    needed = [re.split(r"[<>=!~;\[ ]", line, maxsplit=1)[0] for line in project()["dependencies"]]
    lacking = [name for name in [*needed, *TESTS] if not _is_installed(name)]
    if not lacking:
        return None
    with_torch = [name for name in lacking if name in NEED_TORCH]
    others = [name for name in lacking if name not in NEED_TORCH]
    ways = [("", others)] * bool(others) + [("--no-deps ", with_torch)] * bool(with_torch)
    commands = " and ".join(f"pip install {options}--target FOLDER {' '.join(names)}" for options, names in ways)
    return f"{sys.executable} lacks {', '.join(lacking)}; {commands}, and name FOLDER in PYTHONPATH"


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def no_device(wanted: str) -> str | None:
    """Return why the device cannot be used and which ones can; None if it can."""
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        built = f"is built for CUDA {torch.version.cuda}" if torch.version.cuda else "is built without CUDA"
        return f"no CUDA device: torch {torch.__version__} {built}. 'gpu.sh --cpu' tries the steps without one"
    where = torch.cuda.get_device_name() if wanted == "cuda" else platform.processor() or platform.machine()
    print(f"=== Python {platform.python_version()}, torch {torch.__version__}, {where}", flush=True)
    return None


def link(folder: Path) -> None:
    """Create links to the code and to the metadata of the distribution in a folder, as if it were installed there.

    Without the metadata no built-in family would be found, because families are entry points.
    """
    package = folder / "restore"
    package.mkdir(parents=True, exist_ok=True)
    for name in ("cli", "core", "plugins", "registry"):
        (package / name).unlink(missing_ok=True)
        (package / name).symlink_to(ROOT / name, target_is_directory=True)
    told = project()
    info = folder / f"{told['name']}-{told['version']}.dist-info"
    info.mkdir(exist_ok=True)
    requires = "".join(f"Requires-Dist: {line}\n" for line in told["dependencies"])
    heading = f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n"
    (info / "METADATA").write_text(heading + requires, "utf-8")
    groups = told["entry-points"]
    text = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in groups.items()
    )
    (info / "entry_points.txt").write_text(text, "utf-8")


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return rows as a Markdown table; columns without values are left out."""
    used = [key for key in COLUMNS if any(row.get(key) is not None for row in rows)]
    lines = ["| " + " | ".join(COLUMNS[key] for key in used) + " |", "|" + " --- |" * len(used)]
    return lines + ["| " + " | ".join(_cell(key, row.get(key)) for key in used) + " |" for row in rows]


def _cell(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key in ("device_waits", "data_wait"):
        return f"{value:.0%}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
