"""Damaged and hostile weights files through every command that opens one."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hostile.bits import damage
from hostile.commands import check_in, leftovers, run
from hostile.image_seeds import seeds
from hostile.json_lies import change_value
from hostile.weights_seeds import checkpoint_tensors, foreign_safetensors, pickled, small_weights, written

Made = tuple[str, bytes]
"""Suffix and content."""


class Runs:
    """A pickle of it runs a command when it is opened."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.place}",)


def check_weights(numbers: range, seed: int, folder: Path) -> list[str]:
    """Make damaged weights files, open each with two commands, and return what was wrong.

    Args:
        numbers: the files to make; each depends on its number and the seed alone.
        seed: another seed makes other files.
        folder: place for files; those of a failure stay.
    """
    problems = []
    for number in numbers:
        rng = random.Random(f"weights {seed} {number}")
        problems += check_in(folder / f"weights-{seed}-{number}", partial(_check_one, rng=rng))
    return problems


def _check_one(place: Path, rng: random.Random) -> list[str]:
    canary = place / "canary"
    suffix, data = rng.choice(_KINDS)(rng, canary)
    path = place / f"w.{suffix}"
    path.write_bytes(data)
    photo = place / "photo.png"
    photo.write_bytes(seeds()[0][1])
    problems = []
    for command in rng.sample(_COMMANDS, 2):
        output = place / "out"
        arguments = command(path, photo, output)
        outcome = run(arguments)
        name = " ".join(map(str, arguments[:2]))
        problems += [f"{name}: {problem}" for problem in outcome.problems]
        if outcome.status and output.exists() and any(each.is_file() for each in output.rglob("*")):
            problems.append(f"{name}: fails and leaves {sorted(map(str, output.rglob('*')))[:3]}")
        problems += [f"{name}: left {each}" for each in leftovers(place)]
        if canary.exists():
            problems.append(f"{name}: ran code of the file")
        shutil.rmtree(output, ignore_errors=True)
    return problems


# --- files ----------------------------------------------------------------------------------------------------


def _bytes(rng: random.Random, _: Path) -> Made:
    name, model, tensors = rng.choice(small_weights())
    return rng.choice(
        [
            ("safetensors", damage(written(name, model, tensors), rng)),
            ("safetensors", damage(foreign_safetensors(checkpoint_tensors()), rng)),
            ("pth", damage(pickled({"params": checkpoint_tensors()}, zipped=rng.random() < 0.5), rng)),
        ]
    )


def _header(rng: random.Random, _: Path) -> Made:
    """A header of the format that lies."""
    name, model, tensors = rng.choice(small_weights())
    data = written(name, model, tensors)
    length = int.from_bytes(data[:8], "little")
    header = change_value(json.loads(data[8 : 8 + length]), rng)
    return "safetensors", _joined(header, data[8 + length :])


def _entry(rng: random.Random, _: Path) -> Made:
    """An entry of restore that lies."""
    name, model, tensors = rng.choice(small_weights())
    data = written(name, model, tensors)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    entry = json.loads(header["__metadata__"]["restore"])
    if rng.random() < 0.6:
        entry["model"] = change_value(entry["model"], rng)
    else:
        entry = change_value(entry, rng)
    header["__metadata__"]["restore"] = json.dumps(entry)
    return "safetensors", _joined(header, data[8 + length :])


def _joined(header: Any, content: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def _values(rng: random.Random, _: Path) -> Made:
    """Tensors with other values, types or shapes, and a right checksum."""
    name, model, tensors = rng.choice(small_weights())
    changed = _changed(dict(tensors), rng)
    return "safetensors", written(name, model, changed)


def _changed(tensors: dict[str, torch.Tensor], rng: random.Random) -> dict[str, torch.Tensor]:
    key = rng.choice(list(tensors))
    tensor = tensors[key].clone()
    match rng.randrange(7):
        case 0:
            tensors[key] = torch.full_like(tensor, math.nan) if tensor.is_floating_point() else tensor + 2**40
        case 1:
            tensors[key] = torch.full_like(tensor, math.inf) if tensor.is_floating_point() else tensor
        case 2:
            kinds = (torch.float16, torch.float64, torch.bfloat16, torch.int8, torch.bool, torch.complex64)
            tensors[key] = tensor.to(rng.choice(kinds))
        case 3:
            tensors[key] = torch.zeros(rng.choice(((), (0,), (1, 1, 1, 1, 1, 1), (3,), (4, 0, 3))))
        case 4:
            del tensors[key]
        case 5:
            tensors |= {f"{key}.{number}": torch.zeros(0) for number in range(rng.choice((1, 3000)))}
        case _:
            tensors["body.999999999.conv1.weight"] = torch.zeros(1)
    return tensors


def _checkpoint(rng: random.Random, canary: Path) -> Made:
    """A checkpoint of another program with something odd in it."""
    tensors: dict[Any, Any] = _changed(dict(checkpoint_tensors()), rng)
    content: Any = {"params": tensors}
    match rng.randrange(12):
        case 0:
            content["params"]["self"] = content
        case 1:
            content = {"model": content}
            content["net"] = content
        case 2:
            for _ in range(rng.choice((20, 400))):
                content = {"state_dict": content}
        case 3:
            tensors["vast.weight"] = torch.zeros(1).expand(10**6, 10**6)
        case 4:
            content["hook"] = Runs(canary)
        case 5:
            content = Runs(canary)
        case 6:
            content = rng.choice(([], None, 4, "text", [tensors], {}, {1: tensors}, torch.zeros(3), {"a": None}))
        case 7:
            tensors |= {3: torch.zeros(1), None: torch.zeros(2), ("a", "b"): torch.zeros(3), b"x": torch.zeros(1)}
        case 8:
            tensors["\x1b[31mred.weight"] = torch.zeros(1)
        case 9:
            tensors["conv_first.weight"] = torch.zeros(4, 3, 3, 3).to_sparse()
        case 10:
            tensors["conv_first.weight"] = torch.quantize_per_tensor(torch.zeros(4, 3, 3, 3), 0.1, 0, torch.qint8)
    return rng.choice(("pth", "ckpt")), pickled(content, zipped=rng.random() < 0.6)


_KINDS: tuple[Callable[[random.Random, Path], Made], ...] = (_bytes, _header, _entry, _entry, _values, _checkpoint)


# --- commands -------------------------------------------------------------------------------------------------

Command = Callable[[Path, Path, Path], list[str | Path]]


def _predict(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["predict", path, photo, "--output", output]


def _evaluate(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["evaluate", path, "--data", photo.parent]


def _show(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["show", path]


def _show_json(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["show", path, "--json"]


def _import(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["import", path, "--output", output / "i.safetensors"]


def _import_partly(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["import", path, "--task", "srgan", "--partial", "--output", output / "i.safetensors"]


def _pack(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["pack", path, "--output", output / "p.safetensors"]


def _export(path: Path, photo: Path, output: Path) -> list[str | Path]:
    return ["export", path, "--output", output / "e.safetensors"]


def _start_from(path: Path, photo: Path, output: Path) -> list[str | Path]:
    small = ["--epochs", "1", "--samples-per-epoch", "1", "--batch-size", "1", "--crop-size", "16"]
    model = ["--model.channels", "4", "--model.blocks", "1", "--adversarial.epochs", "0", "--sample-images", "0"]
    scale = ["--scale", "2", "--data", photo.parent, "--val-data", photo.parent, "--out", output]
    return ["train", "srgan", "--init-from", path, *small, *model, *scale]


_COMMANDS: tuple[Command, ...] = (
    _predict, _evaluate, _show, _show_json, _import, _import_partly, _pack, _export, _start_from,
)  # fmt: skip
