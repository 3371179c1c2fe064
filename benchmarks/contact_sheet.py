"""Show the results of the classical methods next to those of a trained network on a sample photograph.

    python benchmarks/contact_sheet.py runs/first/best-pretrain.safetensors docs/contact-sheet.png

No run on the sample trains on this photograph. Each title has the value on the whole photograph.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from side_by_side import arrange, cut
from torch import Tensor

from restore import registry
from restore.core import open_weights
from restore.core.dataset import as_dataset
from restore.core.evaluation import as_batch
from restore.core.method import Method
from restore.core.networks import Networks

METHODS = ("nearest", "bilinear", "bicubic", "lanczos", "fourier")
IMAGE = "coffee"
PART = (slice(96, 224), slice(120, 248))
"""Rows and columns that are shown."""
UPSCALED = 2
COLUMNS = 4


def panels(weights: Path) -> tuple[list[tuple[str, Tensor]], str]:
    """Return title and image (3, H, W) of each panel, and the convention of the values in the titles."""
    task, networks = open_weights(weights, registry.get)
    images = as_dataset(task.evaluation_data(None))
    index = next(i for i in range(len(images)) if IMAGE in images.name(i))
    batch = as_batch(images[index], torch.device("cpu"))
    protocol = task.protocols()["y8-border"]
    metric = protocol["psnr"]
    scale = batch["target"].shape[-1] / batch["input"].shape[-1]

    def panel(title: str, task: Method, networks: Networks) -> tuple[str, Tensor]:
        output = task.predict(batch, networks)["output"]
        value = metric.reduce(metric.measure(output, batch["target"]))
        return f"{title}  {value:.2f} dB", output[0]

    made = []
    for name in METHODS:
        method = registry.get("tasks", f"classic/{name}")
        made.append(panel(name, method(method.settings_type(model={"scale": scale})), Networks({})))
    made += [panel("pretrained generator", task, networks), ("photograph", batch["target"][0])]
    return made, f"{metric.name} ({metric.convention})"


def draw(made: list[tuple[str, Tensor]], convention: str) -> Image.Image:
    """Arrange the panels in rows; the convention of the numbers stands below the last."""
    shown = [(title, cut(image, PART, UPSCALED)) for title, image in made]
    return arrange([*shown, (convention, Image.new("RGB", shown[0][1].size, "white"))], COLUMNS)


def main() -> None:
    """Draw the sheet and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    with torch.no_grad():
        made, convention = panels(arguments.weights)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    draw(made, convention).save(arguments.output, optimize=True)


if __name__ == "__main__":
    main()
