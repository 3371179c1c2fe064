"""Compare the start-up time of the command line with that of importing Typer, which it cannot avoid.

    python benchmarks/startup.py [--runs 15] [--json]

The commands take turns, and the fastest run of each counts, because other load can only add time. The exit status is
1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PLUGINS = 200
RESTORE = ("-c", "from restore.cli import main; main()")  # what the installed command does
TYPER, LISTING, MANY = "import typer", "restore list-plugins", f"restore list-plugins, {PLUGINS} more plugins"

PLUGIN = '''"""Plugin {number}."""

from restore.registry import TaskSpec, hookimpl


@hookimpl
def restore_tasks():
    settings, summary = "{name}.settings:Settings", "Number {number}."
    return [TaskSpec("task-{number}", "{name}.task:Task", settings=settings, summary=summary)]
'''


@dataclass(frozen=True)
class Result:
    """Time of one command relative to another."""

    command: str
    over: str
    seconds: float
    ratio: float
    goal: float

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal


GOALS = (
    ("restore --help", TYPER, 3.0),
    (LISTING, TYPER, 3.0),
    ("restore train srgan --help", TYPER, 5.0),
    (MANY, LISTING, 2.0),
)


def install_plugins(folder: Path) -> None:
    """Create distributions that look installed if the folder is on the import path."""
    for number in range(PLUGINS):
        name = f"restore_startup_{number}"
        package, info = folder / name, folder / f"{name}-1.0.dist-info"
        package.mkdir(parents=True)
        info.mkdir()
        (package / "__init__.py").write_text(PLUGIN.format(name=name, number=number), "utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nA plugin.\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[restore.plugins]\nstartup_{number} = {name}\n", "utf-8")


def time_run(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    """Return the seconds of one run of Python. Raises CalledProcessError."""
    began = time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, env=environment, cwd=tempfile.gettempdir(), check=True, capture_output=True)
    return time.perf_counter() - began


def measure(runs: int) -> list[Result]:
    """Return the fastest of several runs of each command, after one that fills the caches."""
    with tempfile.TemporaryDirectory() as made:
        site = Path(made)
        install_plugins(site)
        plain = {**os.environ, "RESTORE_PLUGINS_TOML": ""}
        crowded = {**plain, "PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))}
        commands = {
            TYPER: (("-c", "import typer"), plain),
            "restore --help": ((*RESTORE, "--help"), plain),
            LISTING: ((*RESTORE, "list-plugins"), plain),
            "restore train srgan --help": ((*RESTORE, "train", "srgan", "--help"), plain),
            MANY: ((*RESTORE, "list-plugins"), crowded),
        }
        for arguments, environment in commands.values():
            time_run(arguments, environment)
        fastest = dict.fromkeys(commands, float("inf"))
        for _ in range(runs):
            for name, (arguments, environment) in commands.items():
                fastest[name] = min(fastest[name], time_run(arguments, environment))
    return [Result(name, over, fastest[name], fastest[name] / fastest[over], goal) for name, over, goal in GOALS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    options = parser.parse_args()
    results = measure(options.runs)
    if options.json:
        print(json.dumps([{**asdict(result), "met": result.met} for result in results], indent=1))
    else:
        print(f"{'command':<46}{'ms':>6}{'ratio':>8}{'goal':>7}")
        for result in results:
            missed = "" if result.met else f"  missed, over {result.over}"
            print(f"{result.command:<46}{1000 * result.seconds:>6.0f}{result.ratio:>7.2f}x{result.goal:>6.0f}x{missed}")
    sys.exit(not all(result.met for result in results))


if __name__ == "__main__":
    main()
