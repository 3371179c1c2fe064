"""Train, measure and use a model from Python: what ``restore train``, ``evaluate`` and ``predict`` do.

python examples/without_the_command_line.py photo.jpg upscaled.png [--epochs 10] [--overwrite]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from restore import registry
from restore.core import Trainer, evaluate, open_weights, predict_image, read_image, write_image
from restore.core.atomic import refuse_overwrite
from restore.core.events import Evaluated, Event


def show(event: Event) -> None:
    """Print an event. The engine prints nothing; it calls its listeners."""
    if isinstance(event, Evaluated):
        print(f"epoch {event.epoch + 1}:", *event.numbers, sep="\n  ")


def main(photo: Path, upscaled: Path, overwrite: bool = False, **changes: object) -> None:
    """Train a small network that doubles the size of images, measure it, and use it on an image."""
    image = read_image(photo)  # read it first, so that an unreadable file stops the script before training
    refuse_overwrite(upscaled, overwrite)

    entry = registry.entry("tasks", "srgan")
    task_type = entry.load()
    # A single epoch would be pretraining only; from two epochs on there are two phases.
    settings = task_type.settings_type(
        model={"scale": 2, "channels": 32, "blocks": 4}, perceptual={"weight": 0}, **changes
    )
    result = Trainer(task_type, settings, name=entry.full_name, listeners=[show]).fit()

    # A weights file rebuilds its task, so its path is enough.
    task, networks = open_weights(result.weights, registry.get)
    protocol = task.protocols()["y-border"]
    for number in evaluate(task, networks, task.evaluation_data(None), protocol, of="the last phase").numbers:
        print(number)

    outputs = predict_image(task, networks, task.read_inputs(photo, image))
    write_image(upscaled, task.render(outputs, {})[""], like=image)
    print(f"{photo} -> {upscaled}; the run is in {result.folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("upscaled", type=Path)
    parser.add_argument("--overwrite", action="store_true", help="replace what has the name of the upscaled image")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples-per-epoch", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    main(**vars(parser.parse_args()))
