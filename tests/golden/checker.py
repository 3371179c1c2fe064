"""Prove an implementation equal to its reference from recorded numbers alone.

A fixture records what a reference implementation answered, but neither its code nor its weights: weights and inputs
are drawn again from the names of the parameters and inputs, by rules that need nothing but numpy's PCG64. Two networks
that give the same answers for those weights compute the same function.

Weights. An integer entry is zero. Any other entry is a standard normal array ``z`` (float64, C order) from the
generator seeded with its name, turned into a value by its name and shape (:func:`weight`), and rounded to float32.

Inputs. One generator for each, seeded with ``input:<fixture>:<input>``, and a kind that says what to draw.

The error is the largest absolute difference over the largest absolute value of the recorded output.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

HERE = Path(__file__).resolve().parent
DTYPES = {"fp32": torch.float32, "fp64": torch.float64}
TOLERANCES = {"fp32": 2e-4, "fp64": 1e-9}


def rng(text: str) -> np.random.Generator:
    """The generator that belongs to a name."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(seed))


def weight(key: str, shape: tuple[int, ...], gain: float) -> np.ndarray:
    """The float32 value of a state-dict entry that is not an integer."""
    z = np.asarray(rng(key).standard_normal(shape))
    leaf = key.rpartition(".")[2]
    if shape == ():
        value = 1.5 + 0.2 * np.clip(z, -2, 2)
    elif leaf == "running_var":
        value = 0.5 + np.abs(z)
    elif leaf == "running_mean":
        value = 0.1 * z
    elif len(shape) > 1:
        value = z * (gain / math.sqrt(math.prod(shape[1:])))
    elif leaf == "bias":
        value = 0.1 * z
    elif shape == (1,):
        value = 0.25 + 0.05 * z
    else:
        value = 1 + 0.1 * z
    return np.asarray(value, dtype=np.float32)


def smooth(random: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Images made of six random waves each, clipped to [low, high]."""
    *planes, height, width = shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    total = np.zeros(shape)
    for _ in range(6):
        # The order of these four draws is part of the rule.
        strength = random.random(planes)[..., None, None]
        down = random.uniform(-4, 4, planes)[..., None, None]
        across = random.uniform(-4, 4, planes)[..., None, None]
        start = random.uniform(0, 2 * math.pi, planes)[..., None, None]
        total = total + strength * np.cos(2 * math.pi * (down * rows / height + across * columns / width) + start)
    return low + (high - low) * np.clip(0.5 + total / 8, 0, 1)


def blocks(random: np.random.Generator, shape: tuple[int, ...], cell: int, share: float) -> np.ndarray:
    """A binary mask that is constant on squares, the same in every channel; about ``share`` of it is one."""
    count, channels, height, width = shape
    squares = random.random((count, 1, -(-height // cell), -(-width // cell))) < share
    mask = squares.repeat(cell, axis=2).repeat(cell, axis=3)[:, :, :height, :width]
    return mask.repeat(channels, axis=1).astype(np.float64)


def masked(prefix: str, rule: Mapping[str, Any]) -> np.ndarray:
    """The product of two other inputs of a fixture: an image and its mask, or the mask's opposite."""
    image, mask = (
        drawn(f"{prefix}:{part}", of).astype(np.float64) for part, of in zip(rule["of"], rule["specs"], strict=True)
    )
    product: np.ndarray = image * (1 - mask if rule["invert"] else mask)
    return np.concatenate([product, mask[:, :1]], axis=1) if rule["append_mask"] else product


def drawn(name: str, rule: Mapping[str, Any]) -> np.ndarray:
    """The float32 array that a rule describes; ``name`` decides its chance."""
    shape = tuple(rule["shape"])
    match rule["kind"]:
        case "smooth":
            value = smooth(rng(name), shape, rule["lo"], rule["hi"])
        case "normal":
            value = rule["std"] * rng(name).standard_normal(shape)
        case "blocks":
            value = blocks(rng(name), shape, rule["cell"], rule["p_one"])
        case "uniform":
            value = rule["lo"] + (rule["hi"] - rule["lo"]) * rng(name).random(shape)
        case "rect":
            top, left, height, width = rule["tlhw"]
            value = np.zeros(shape)
            value[..., top : top + height, left : left + width] = 1
        case "masked":
            value = masked(name.rpartition(":")[0], rule)
        case "values":
            value = np.asarray(rule["values"], dtype=np.float64).reshape(shape)
        case kind:
            raise ValueError(f"no rule for inputs of kind {kind!r}")
    return np.asarray(value, dtype=np.float32)


@dataclass(frozen=True)
class Fixture:
    """What a reference implementation answered."""

    facts: Mapping[str, Any]
    recorded: Mapping[str, np.ndarray]

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    def state(self) -> dict[str, Tensor]:
        """The reference's state dict, under the reference's own names."""
        gain, gains, overrides = self.facts["gain"], self.facts.get("gains", []), self.facts.get("overrides", {})
        values: dict[str, Tensor] = {}
        for key, shape, dtype in self.facts["state_dict"]:
            if dtype.startswith("int"):
                values[key] = torch.zeros(shape, dtype=torch.int64)
            elif key in overrides:
                values[key] = torch.from_numpy(drawn(f"input:{self.name}:param:{key}", overrides[key]))
            else:
                matching = (own for pattern, own in gains if re.search(pattern, key))
                values[key] = torch.from_numpy(weight(key, tuple(shape), next(matching, gain)))
        return values

    def inputs(self, dtype: torch.dtype = torch.float64) -> list[Tensor]:
        """What the reference was given, in the order of its arguments."""
        rules = self.facts["inputs"]
        return [torch.from_numpy(drawn(f"input:{self.name}:{key}", rule)).to(dtype) for key, rule in rules.items()]

    def errors(self, function: Callable[..., Any], mode: str, precision: str) -> dict[str, float]:
        """Relative error of each output of a function that is called with the inputs."""
        with torch.no_grad():
            answer = function(*self.inputs(DTYPES[precision]))
        answers = list(answer) if isinstance(answer, tuple | list) else [answer]
        errors = {}
        for output in self.facts["outputs"]:
            expected = self.recorded[f"{mode}.{precision}.{output['name']}"].astype(np.float64)
            given = answers[output["index"]]
            found = np.asarray(given.detach() if isinstance(given, Tensor) else given, dtype=np.float64)
            if (step := output.get("step", 1)) > 1:  # large outputs are recorded in part
                found = found[..., ::step, ::step]
            assert found.shape == expected.shape, f"{output['name']}: shape {found.shape}, recorded {expected.shape}"
            errors[output["name"]] = float(np.abs(found - expected).max() / np.abs(expected).max())
        return errors

    def check(self, function: Callable[..., Any], mode: str = "eval", precision: str = "fp64") -> None:
        """Assert that a function gives what was recorded."""
        tolerance = self.facts.get("rtol", TOLERANCES)[precision]
        for output, error in self.errors(function, mode, precision).items():
            assert error <= tolerance, f"{self.name}: {mode} {precision} {output}: {error:.1e}, allowed {tolerance:.0e}"

    def check_module(self, build: Callable[[], nn.Module]) -> None:
        """Assert it for every recorded mode and precision of a network that ``build`` makes with weights loaded."""
        for mode in self.facts["modes"]:
            recorded = {name.split(".")[1] for name in self.recorded if name.startswith(f"{mode}.")}
            for precision in sorted(recorded):
                dtype = DTYPES[precision]
                self.check(build().to(dtype).train(mode == "train"), mode, precision)


def load(name: str) -> Fixture:
    """The fixture of a name."""
    facts = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(HERE / f"{name}.npz") as recorded:
        return Fixture(facts, dict(recorded))
