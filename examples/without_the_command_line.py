"""Train, measure and use a model from Python: what ``restore train``, ``evaluate`` and ``predict`` do.

python examples/without_the_command_line.py photo.jpg enlarged.png [--epochs 10] [--overwrite]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from restore import registry
from restore.core import Trainer, evaluate, open_weights, predict_picture, read_picture, write_picture
from restore.core.atomic import check_vacant
from restore.core.events import Evaluated, Event


def show(event: Event) -> None:
    """The engine prints nothing; it tells whoever listens."""
    if isinstance(event, Evaluated):
        print(f"epoch {event.epoch + 1}:", *event.numbers, sep="\n  ")


def main(photo: Path, enlarged: Path, overwrite: bool = False, **changes: object) -> None:
    """Train a small network that doubles the size of pictures, measure it, and use it on one."""
    picture = read_picture(photo)  # what cannot work is better known before the training than after it
    check_vacant(enlarged, overwrite)

    entry = registry.entry("tasks", "srgan")
    task_type = entry.load()
    # One epoch in all would be pretraining only: two phases, from two epochs on.
    settings = task_type.settings_type(
        model={"scale": 2, "channels": 32, "blocks": 4}, perceptual={"weight": 0}, **changes
    )
    result = Trainer(task_type, settings, name=entry.full_name, listeners=[show]).fit()

    # A weights file rebuilds its task: nothing has to be known about it but where it is.
    task, networks = open_weights(result.weights, registry.get)
    protocol = task.protocols()["y-border"]
    for number in evaluate(task, networks, task.evaluation_data(None), protocol, of="the last phase").numbers:
        print(number)

    outputs = predict_picture(task, networks, task.read_inputs(photo, picture))
    write_picture(enlarged, task.render(outputs, {})[""], like=picture)
    print(f"{photo} -> {enlarged}; the run is in {result.folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("enlarged", type=Path)
    parser.add_argument("--overwrite", action="store_true", help="replace what has the name of the enlarged picture")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples-per-epoch", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    main(**vars(parser.parse_args()))
