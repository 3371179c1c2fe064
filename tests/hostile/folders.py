"""Damaged run folders, settings files, project files and masks through the commands that read them."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import yaml
from hostile.bits import damage
from hostile.commands import Outcome, check_in, leftovers, run
from hostile.image_lies import odd_image
from hostile.json_lies import change_value
from PIL import Image

from restore import registry
from restore.core.hashing import hash_file

Checked = tuple[str, Outcome]
"""What was run, in words, and what became of it."""

_TRAIN = (
    *("--epochs", "1", "--samples-per-epoch", "2", "--batch-size", "2", "--depth", "1", "--channels", "2"),
    *("--size", "16", "16", "--sample-images", "0", "--workers", "0"),
)


def check_folders(numbers: range, seed: int, folder: Path) -> list[str]:
    """Damage run folders, settings and masks, use them, and return what was wrong.

    Args:
        numbers: the folders to damage; each depends on its number and the seed alone.
        seed: another seed does other damage.
        folder: place for files; those of a failure stay.
    """
    problems = []
    for number in numbers:
        rng = random.Random(f"folder {seed} {number}")
        problems += check_in((folder / f"folder-{seed}-{number}").resolve(), partial(_check_one, rng=rng))
    return problems


def _check_one(place: Path, rng: random.Random) -> list[str]:
    found = [f"{what}: {problem}" for what, outcome in rng.choice(_KINDS)(place, rng) for problem in outcome.problems]
    return found + [f"left {name}" for name in leftovers(place)]


def make_data(place: Path, count: int = 4) -> Path:
    """Make images and masks."""
    for index in range(count):
        values = np.random.default_rng(index).integers(0, 256, (24, 20, 3), np.uint8)
        mask = np.zeros((24, 20), np.uint8)
        mask[4:12, 3 + index : 12] = 255
        for name, pixels in (("images", values), ("masks", mask)):
            (place / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place / name / f"{index}.png")
    return place


@cache
def trained_run() -> tuple[Path, Path]:
    """Return the folder of a small finished run, and that of its data."""
    place = Path(mkdtemp(prefix="hostile-run-"))
    data = make_data(place / "data")
    outcome = run(["train", "unet", "--data", data, *_TRAIN, "--out", place, "--name", "run"], 600)
    if outcome.status or outcome.problems:
        raise RuntimeError(f"the run could not be made: {outcome}")
    return place / "run", data


# --- run folders ----------------------------------------------------------------------------------------------


def _run_folder(place: Path, rng: random.Random) -> Iterator[Checked]:
    made, data = trained_run()
    copy = place / "run"
    shutil.copytree(made, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
    wanted = rng.choice(
        ("config.yaml", "config.yaml", "state.json", "metrics.jsonl", "summary.json", "manifest.json", "")
    )
    victims = [path for path in files if path.name == wanted] or files
    victim = victims[-1] if wanted else rng.choice(victims)
    _damage_file(victim, rng)
    if victim.name == "state.json" and rng.random() < 0.7:
        manifest = json.loads((victim.parent / "manifest.json").read_text("utf-8"))
        manifest["state.json"] = hash_file(victim)
        (victim.parent / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    commands: list[list[str | Path]] = [
        ["train", "unet", "--resume", copy, "--epochs", "2"],
        ["evaluate", copy, "--data", data],
        ["predict", copy, data / "images" / "0.png", "--output", place / "out"],
        ["show", copy],
    ]
    for command in [commands[0], rng.choice(commands[1:])]:
        yield f"{victim.relative_to(copy)}, {command[0]}", run(command)


def _damage_file(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    if rng.random() < 0.35:
        path.write_bytes(damage(data, rng))
    elif path.suffix == ".json":
        path.write_text(json.dumps(change_value(json.loads(data), rng)), "utf-8", "replace")
    elif path.suffix == ".yaml":
        path.write_bytes(odd_yaml(data, rng))
    elif path.suffix == ".jsonl":
        lines = data.splitlines()
        number = rng.randrange(len(lines))
        lines[number] = json.dumps(change_value(json.loads(lines[number]), rng)).encode()
        path.write_bytes(b"\n".join(lines))
    else:
        path.write_bytes(damage(data, rng))


def odd_yaml(data: bytes, rng: random.Random) -> bytes:
    """Return settings with values of wrong types, or YAML that does more than it seems to."""
    lines = data.decode().splitlines()
    number = rng.randrange(len(lines))
    name = lines[number].partition(":")[0]
    match rng.randrange(4):
        case 0:
            changed = change_value(yaml.safe_load(data), rng)
            return yaml.safe_dump(changed, allow_unicode=True).encode("utf-8", "replace")
        case 1:
            lines[number] = f"{name}: {rng.choice(_ODD_YAML)}"
        case 2:
            lines = lines[:number]
        case _:
            lines.insert(rng.randrange(len(lines)), rng.choice(_ODD_YAML))
    return "\n".join(lines).encode()


_ODD_YAML = (
    *("2001-99-99", "!!float x", "!!timestamp x", "[" * 3000, "&a [*a]", "*nothing", "{? [1]: 2}", "\x00", "\t- x"),
    *("!!python/object/apply:os.system [true]", "<<: [1]", "- a", ".nan", "-.inf", "0x_", "1_000", "'", "no", "~"),
    "&a [x,x,x,x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a]",
    "{" + ", ".join(f"k{n}: 1" for n in range(5000)) + "}",
)


# --- settings and project files -------------------------------------------------------------------------------


def _settings(place: Path, rng: random.Random) -> Iterator[Checked]:
    made, data = trained_run()
    if rng.random() < 0.3:
        config = place / "c.toml"
        config.write_bytes(damage(b"epochs = 2\nseed = 4\n[model]\ndepth = 1\nwidth = 4\n", rng))
    else:
        config = place / "c.yaml"
        config.write_bytes(odd_yaml((made / "config.yaml").read_bytes(), rng))
    words = ["train", "unet", "--data", data, "--config", config, "--print-config"]
    yield "--config", run(words)


def _project(place: Path, rng: random.Random) -> Iterator[Checked]:
    good = (
        b'enabled = ["common", "classic", "unet"]\ndisabled = []\nrequired = ["numpy>=1"]\n[plugin.unet]\nepochs = 3\n'
    )
    odd = [
        b"enabled = " + b"[" * 3000, b"enabled = 3", b'paths = ["/nowhere", "~nobody/x.py"]', b"[plugin]\nunet = 4",
        b"a = " + b"9" * 5000, b"a = 2001-99-99", b'required = ["x y z >>"]', b'enabled = ["\\u001b[31m"]',
        b'[plugin.unet]\nepochs = "many"', b'[distribution]\nunet = 4', b"\xff\xfe",
        b"[plugin.unet.model]\ndepth = 1e999",
    ]  # fmt: skip
    (place / "plugins.toml").write_bytes(rng.choice(odd) if rng.random() < 0.4 else damage(good, rng))
    with _working_in(place):
        for words in (["list-plugins"], ["show", "unet"], ["train", "unet", "--print-config"]):
            yield f"plugins.toml, {words[0]}", run(words)


@contextmanager
def _working_in(place: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    registry.reset()
    try:
        yield
    finally:
        os.chdir(before)
        registry.reset()


# --- masks ----------------------------------------------------------------------------------------------------


def _masks(place: Path, rng: random.Random) -> Iterator[Checked]:
    data = make_data(place / "data")
    suffix, content = odd_image(rng)
    which = rng.choice(("masks", "masks", "images"))
    (data / which / "2.png").unlink()
    (data / which / f"2.{suffix}").write_bytes(content)
    photo, mask = data / "images" / "0.png", data / which / f"2.{suffix}"
    commands: list[list[str | Path]] = [
        ["evaluate", "otsu", "--data", data],
        ["data", "check", data],
        ["data", "check", data, "--json"],
        ["predict", "nearest-known", photo, "--mask", mask, "--output", place / "out"],
        ["predict", "nearest-known", photo, "--mask", data / which, "--output", place / "out"],
        ["evaluate", "biharmonic", "--data", data],
        ["train", "unet", "--data", data, *_TRAIN, "--out", place, "--name", "m"],
    ]
    for command in rng.sample(commands, 2):
        yield f"{suffix} in {which}, {' '.join(map(str, command[:2]))}", run(command)


Kind = Callable[[Path, random.Random], Iterator[Checked]]
_KINDS: tuple[Kind, ...] = (_run_folder, _run_folder, _settings, _project, _masks, _masks)
