"""Count the files and functions that a reader of one command has to follow, in any commit of this repository.

    python benchmarks/command_paths.py [COMMIT…] [--json]

Runs ``train srgan`` (up to the first gradient), ``predict RUN photo.jpg`` and ``evaluate RUN bicubic`` with the code of
each COMMIT (default: the working tree) under a profiler. A commit must have these commands with the options of today:
from 26d615e on, which counts the structure before words and files were changed. Counts Python files of this project
only:

loaded    files that the command imports
entered   files with such functions
stations  functions that are called from another file and call into another one, each counted once; helpers that call
          no other file are left out
returns   how often the path comes back to a file that it had left; the path is the order of the first calls of these
          functions
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("cli", "registry", "core", "plugins")
DATA = ("recipes",)
"""Packages without code, which old commits do not have."""
SMALL = ("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--device", "cpu", "--precision", "fp32")


@dataclass(frozen=True)
class Way:
    """Numbers of one command."""

    command: str
    loaded: int
    entered: int
    stations: int
    returns: int


class _Enough(BaseException):
    """Raised when the counted part of a command is over."""


class _Tracer:
    """Records each function of the tree at its first call, and which ones call into another file."""

    def __init__(self, tree: Path, until: str | None) -> None:
        self._root = f"{tree}{os.sep}"
        self._until = until
        self._files: dict[CodeType, str | None] = {}
        self._seen: dict[CodeType, str | None] = {}
        """Functions in the order in which they first ran, with the file that called them."""
        self._lead_on: set[CodeType] = set()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        file = self._file(code)
        if file is None:
            if code.co_name == self._until:
                sys.setprofile(None)
                raise _Enough
            return
        callers = self._callers(frame)
        if code.co_name.startswith("<") or any(caller.co_name == "<module>" for caller in callers):
            return  # imports are not steps; a comprehension is part of its function
        caller = self._file(callers[0]) if callers else None
        if caller != file:
            self._lead_on.update(callers)
        self._seen.setdefault(code, caller)

    def steps(self) -> list[tuple[str, str | None, str]]:
        """Return file, caller's file and name of every function that calls into another file, and of the last one."""
        last = next(reversed(self._seen))
        found = [
            (self._file(code), caller, code.co_qualname)
            for code, caller in self._seen.items()
            if code in self._lead_on or code is last
        ]
        return [(file, caller, name) for file, caller, name in found if file is not None]

    def _callers(self, frame: FrameType) -> list[CodeType]:
        """Yield the running functions of the tree, innermost first."""
        found = []
        above = frame.f_back
        while above is not None:
            if self._file(above.f_code) is not None:
                found.append(above.f_code)
            above = above.f_back
        return found

    def _file(self, code: CodeType) -> str | None:
        if code not in self._files:
            name = os.path.realpath(code.co_filename)
            path = name.removeprefix(self._root)
            self._files[code] = path if path != name and path.startswith(LAYERS) else None
        return self._files[code]


def trace(tree: Path, arguments: list[str], until: str | None) -> None:
    """Run one command in this process and print what it entered as JSON on the last line."""
    from restore.cli import main

    sys.argv = ["restore", *arguments]
    tracer = _Tracer(tree, until)
    sys.setprofile(tracer)
    try:
        main()
    except (SystemExit, _Enough):
        pass
    finally:
        sys.setprofile(None)
    loaded = {
        str(Path(os.path.realpath(file)).relative_to(tree))
        for name, module in list(sys.modules.items())
        if name.startswith("restore.") and (file := getattr(module, "__file__", None))
    }
    print(json.dumps({"loaded": sorted(loaded), "steps": tracer.steps()}))


def count(command: str, found: dict[str, Any], layers: Sequence[str]) -> Way:
    """Return the numbers of a traced command, for the files in some of the layers."""
    steps = [step for step in found["steps"] if step[0].split("/")[0] in layers]
    walk = [file for number, (file, *_) in enumerate(steps) if number == 0 or steps[number - 1][0] != file]
    return Way(
        command,
        loaded=sum(file.split("/")[0] in layers for file in found["loaded"]),
        entered=len(set(walk)),
        stations=sum(file != caller for file, caller, _ in steps),
        returns=len(walk) - len(set(walk)),
    )


def install(tree: Path, place: Path) -> None:
    """Make the code of a tree importable, with the entry points of its own and not of what is installed here."""
    (place / "restore").mkdir()
    for package in (*LAYERS, *DATA):
        if (tree / package).is_dir():
            (place / "restore" / package).symlink_to(tree / package)
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    ]
    info = place / f"restorekit-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: restorekit\nVersion: {project['version']}\n", "utf-8")
    (info / "entry_points.txt").write_text("\n".join(groups), "utf-8")


def measure(tree: Path, layers: Sequence[str], keep: Path | None) -> Iterator[Way]:
    """Trace the three commands with the code in a folder."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        install(tree, place)
        environment = {**os.environ, "PYTHONPATH": made, "RESTORE_PLUGINS_TOML": ""}

        def run(program: list[str]) -> str:
            done = subprocess.run(
                [sys.executable, *program], cwd=place, env=environment, check=False, capture_output=True, text=True
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(program)} failed:\n{done.stderr}")
            return done.stdout

        run(["-c", "from PIL import Image; Image.effect_noise((48, 48), 64).convert('RGB').save('photo.jpg')"])
        run(["-m", "restore.cli", "train", "srgan", *SMALL, "--name", "run"])
        commands = {
            "train srgan": (["train", "srgan", *SMALL, "--name", "other"], "backward"),
            "predict RUN photo.jpg": (["predict", "runs/run", "photo.jpg", "--output", "out"], ""),
            "evaluate RUN bicubic": (["evaluate", "runs/run", "bicubic"], ""),
        }
        for command, (arguments, until) in commands.items():
            output = run([__file__, "--trace", json.dumps([str(tree), arguments, until])])
            found = json.loads(output.splitlines()[-1])
            if keep is not None:
                (keep / f"{command.split()[0]}.txt").write_text(
                    "".join(f"{file}:{name}  <- {caller}\n" for file, caller, name in found["steps"])
                )
            yield count(command, found, layers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commits", nargs="*", metavar="COMMIT", help="commits to count in (default: the working tree)")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="also write the path of each command to this folder")
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=LAYERS, help="count only files of these folders")
    parser.add_argument("--trace", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trace:
        tree, arguments, until = json.loads(options.trace)
        trace(Path(tree), arguments, until or None)
        return
    results: list[dict[str, Any]] = []
    for commit in options.commits or [None]:
        keep = options.keep / (commit or "tree") if options.keep else None
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as made:
            tree = ROOT
            if commit is not None:
                tree = Path(made).resolve()
                archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
                subprocess.run(["tar", "-x", "-C", made], input=archive, check=True)
            results += [
                {"commit": commit or "working tree", **asdict(path)} for path in measure(tree, options.layers, keep)
            ]
    if options.json:
        print(json.dumps(results, indent=1))
        return
    columns = [field.name for field in fields(Way)][1:]
    print(f"{'commit':<14}{'command':<24}" + "".join(f"{name:>10}" for name in columns))
    for row in results:
        print(f"{row['commit'][:12]:<14}{row['command']:<24}" + "".join(f"{row[name]:>10}" for name in columns))


if __name__ == "__main__":
    main()
