"""Put many damaged files through the tool: ``python tests/hostile/fuzz.py images --count 3000 --seed 1``.

Each part of the work gets a fresh process, within limits of memory and time. Prints what was wrong, and ends with 1 if
anything was. Files of a failure stay in the folder that ``--folder`` names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Check = Callable[[range, int, Path], list[str]]

AT_ONCE = {"images": 200, "weights": 40, "folders": 30}
"""Files that one process handles."""
_LONGEST = 1800  # seconds of a process


def find_check(part: str) -> Check:
    """Return the function that makes and checks damaged files of a kind."""
    if part == "images":
        from hostile.images import check_images

        return check_images
    if part == "weights":
        from hostile.weights import check_weights

        return check_weights
    from hostile.folders import check_folders

    return check_folders


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=sorted(AT_ONCE))
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", action="store_true", help="work in this process; print JSON")
    options = parser.parse_args()
    if options.child:
        from hostile.commands import limit_memory, run

        run(["predict", "nearest", "no-such-image.png", "--output", "none"])  # what that imports does not count
        limit_memory()
        numbers = range(options.first, options.first + options.count)
        print(json.dumps(find_check(options.part)(numbers, options.seed, options.folder)))
        return 0
    folder = options.folder or Path(tempfile.mkdtemp(prefix="hostile-"))
    problems = run_all(options.part, options.count, options.seed, folder, options.first)
    print(f"{options.count} {options.part}, seed {options.seed}: {len(problems)} problems; files in {folder}")
    return 1 if problems else 0


def run_all(part: str, count: int, seed: int, folder: Path, first: int = 0) -> list[str]:
    """Check damaged files in fresh processes; print and return what was wrong."""
    problems: list[str] = []
    for start in range(first, first + count, AT_ONCE[part]):
        number = min(AT_ONCE[part], first + count - start)
        began = time.monotonic()
        found = _run_child(part, start, number, seed, folder)
        print(f"{part} {start} to {start + number}: {time.monotonic() - began:.0f} s", flush=True)
        print("".join(f"  {problem}\n" for problem in found), end="", flush=True)
        problems += found
    return problems


def _run_child(part: str, start: int, number: int, seed: int, folder: Path) -> list[str]:
    words = [part, "--count", number, "--first", start, "--seed", seed, "--folder", folder, "--child"]
    tests = Path(__file__).resolve().parents[1]
    home = str(folder / "home")
    environment = {**os.environ, "PYTHONPATH": str(tests), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    environment |= {"XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home}
    program = [sys.executable, __file__, *map(str, words)]
    where = f"{part} {start} to {start + number}"
    try:
        done = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return [f"{where}: the process hangs"]
    if done.returncode:
        return [f"{where}: the process ended with {done.returncode}: {done.stderr[-2000:]}"]
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
