"""Measure the weights that ship, beside bicubic, on clean and on JPEG inputs, and draw them on a sample photograph.

    python benchmarks/shipped_weights.py --data Set5/x4 Set14/x4      folders with HR/ and LR/
    python benchmarks/shipped_weights.py --sheet docs/upscale.png   no data needed

Numbers are PSNR of 8-bit luma without a border of the scale, mean over the images. Seconds are those of a whole
prediction from 256 x 256 pixels, the median of five, divided by the megapixels of the result.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from side_by_side import arrange, cut
from torch import Tensor

from restore import registry
from restore.cli.model_ref import ModelRef, resolve_model
from restore.core.dataset import ImageDataset, as_dataset
from restore.core.evaluation import as_batch, evaluate
from restore.core.images.pixels import to_uint8
from restore.core.inference.timing import time_prediction
from restore.core.method import Method
from restore.core.networks import Networks
from restore.plugins.common.degradation.compression import compress

QUALITY = 40
"""Of the JPEG inputs."""
IMAGE, PART, ZOOM = "coffee", (slice(96, 196), slice(120, 248)), 2
"""The photograph that is drawn, its rows and columns, and how much it is upscaled."""


@dataclass(frozen=True)
class Compressed:
    """Pairs whose inputs went through JPEG."""

    pairs: ImageDataset

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        pair = dict(self.pairs[index])
        return {**pair, "input": compress(to_uint8(pair["input"]), QUALITY).float() / 255}

    def name(self, index: int) -> str:
        """Return the name of an image."""
        return as_dataset(self.pairs).name(index)


def open_all(model: ModelRef) -> dict[str, tuple[Method, Networks]]:
    """Return bicubic of the same scale, and the weights."""
    method, networks = model.open()
    bicubic = registry.get("tasks", "classic/bicubic")
    scale = method.outputs["output"].scale
    return {
        "bicubic": (bicubic(bicubic.settings_type(model={"scale": scale})), Networks({})),
        model.name: (method, networks),
    }


def measure(model: ModelRef, folder: Path) -> list[str]:
    """Return the rows of a folder: one of its inputs as they are, one of them as JPEG."""
    rows = []
    methods = open_all(model)
    clean = methods[model.name][0].evaluation_data(folder)
    for inputs, data in (("clean", clean), (f"JPEG {QUALITY}", Compressed(clean))):
        found = []
        for name, (method, networks) in methods.items():
            number = evaluate(method, networks, data, methods[model.name][0].protocols()["y8-border"], of=name).numbers[
                0
            ]
            found.append(f"{number.value:.2f}")
        rows.append(f"| {model.name} | {'/'.join(folder.parts[-2:])} | {inputs} | {' | '.join(found)} |")
    return rows


def draw(model: ModelRef) -> Image.Image:
    """Return a sheet: clean and JPEG inputs, upscaled by bicubic and by the weights, beside the photograph."""
    methods = open_all(model)
    pairs = methods[model.name][0].evaluation_data(None)
    index = next(place for place in range(len(pairs)) if IMAGE in as_dataset(pairs).name(place))
    panels = []
    for inputs, data in (("clean input", pairs), (f"JPEG {QUALITY} input", Compressed(pairs))):
        batch = as_batch(data[index], torch.device("cpu"))
        for name, (method, networks) in methods.items():
            panels.append((f"{name}, {inputs}", cut(method.predict(batch, networks)["output"][0], PART, ZOOM)))
        panels.append(("photograph", cut(batch["target"][0], PART, ZOOM)))
    return arrange(panels, columns=3)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", nargs="*", default=["upscale"])
    parser.add_argument("--data", nargs="*", type=Path, default=[])
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    for model in map(resolve_model, given.weights):
        if given.sheet:
            draw(model).save(given.sheet, optimize=True)
            print(given.sheet)
            continue
        print("| weights | images | inputs | bicubic | weights |\n|---|---|---|---|---|")
        for folder in given.data:
            print("\n".join(measure(model, folder)), flush=True)
        machine = f"{given.threads} threads, {platform.processor() or platform.machine()}"
        print(f"\n{model.name}: {time_prediction(*model.open(), repeats=5):.2f} s a megapixel, {machine}")


if __name__ == "__main__":
    with torch.no_grad():
        main()
