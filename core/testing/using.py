"""How a task is used: its weights file, pictures of any size, tiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from restore.core.errors import RestoreError
from restore.core.images.files import Rendered
from restore.core.inference.canvas import exact_scale
from restore.core.inference.engine import predict_picture
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.seeding import chance
from restore.core.testing.under_test import Subject, random_inputs, require
from restore.core.weights.files import open_weights, save_weights

ODD_SIZES = ((37, 53), (1, 1), (2, 9))
"""Heights and widths; the first must work, the others may be refused in so many words."""

TOLERANCE = 1e-4
"""Of tiles and batches against whole and single pictures, as a share of the output's range: float32 rounds."""


def weights_files_hold_everything(subject: Subject) -> None:
    """Networks that were saved and opened again predict the same, bit for bit."""
    if not subject.learns:
        return
    method, networks = subject.opened()
    path = save_weights(
        subject.folder / "saved.safetensors",
        task=subject.name,
        model=subject.settings.model.model_dump(mode="json"),
        networks=networks,
    )
    again, opened = open_weights(path, lambda *_: subject.method_type)
    inputs = random_inputs(method, 32, 32)
    before, after = (_run(used, networks, inputs) for used, networks in ((method, networks), (again, opened)))
    for name, plane in before.items():
        require(torch.equal(plane, after[name]), f"{name!r} is another one after saving and opening")


def pictures_of_any_size_work(subject: Subject) -> None:
    """Odd sizes give outputs of the declared size; tiny pictures too, or a message that says why not."""
    method, networks = subject.opened(subject.predict_options())
    for height, width in ODD_SIZES:
        inputs = random_inputs(method, height, width)
        try:
            outputs = _run(method, networks, inputs)
        except RestoreError:
            require((height, width) != ODD_SIZES[0], f"a picture of {height} x {width} pixels is refused")
            continue
        for name, plane in method.outputs.items():
            scale = exact_scale(plane)
            wanted = (plane.channels, math.ceil(height * scale), math.ceil(width * scale))
            shape = tuple(outputs[name].shape)
            require(shape == wanted, f"{name!r} of a picture of {height} x {width} is {shape}, not {wanted}")
        rendered = method.render(outputs, inputs)
        _require_pictures(rendered)
        absent = set(method.always_renders) - set(rendered)
        require(not absent, f"always_renders: render() does not give {absent}")


def _require_pictures(rendered: Mapping[str, Tensor | Rendered]) -> None:
    require(rendered, "render() gives nothing to write")
    for name, shown in rendered.items():
        picture = shown.picture if isinstance(shown, Rendered) else shown
        good = picture.dim() == 3 and picture.shape[0] in (1, 3, 4) and bool(picture.isfinite().all())
        require(good, f"render(): {name!r} of shape {tuple(picture.shape)} is no picture (C, H, W)")


def a_batch_predicts_what_its_pictures_do(subject: Subject) -> None:
    """In use no picture depends on those beside it."""
    method, networks = subject.opened()
    edge = 32 * method.tiling.multiple_of // math.gcd(32, method.tiling.multiple_of)
    pair = [random_inputs(method, edge, edge, seed) for seed in (1, 2)]
    together = _predict(method, networks, {name: torch.stack([one[name] for one in pair]) for name in pair[0]})
    for index, inputs in enumerate(pair):
        alone = _predict(method, networks, {name: plane[None] for name, plane in inputs.items()})
        for name, plane in method.outputs.items():
            difference = (together[name][index] - alone[name][0]).abs().max()
            require(difference <= TOLERANCE * (plane.high - plane.low), f"{name!r} depends on its batch: {difference}")


def exact_tiles_equal_the_whole(subject: Subject) -> None:
    """Where tiles are declared exact, they are: no output depends on more than its halo."""
    method, networks = subject.opened()
    if method.tiling.mode != "exact":
        return
    step = method.tiling.multiple_of
    halo = math.ceil(method.tiling.halo / step) * step
    edge = 2 * halo + 3 * max(step, 16)
    inputs = random_inputs(method, edge, edge)
    whole = _run(method, networks, inputs)
    tiled = _run(method, networks, inputs, tile=max(step, 16))
    for name, plane in method.outputs.items():
        difference = (whole[name] - tiled[name]).abs().max()
        require(difference <= TOLERANCE * (plane.high - plane.low), f"{name!r}: tiles differ by {difference}")
    _require_local(method, networks, inputs, step, halo)


def _require_local(method: Method, networks: Networks, inputs: dict[str, Tensor], step: int, halo: int) -> None:
    """By gradients in float64, where no influence is too small to see."""
    first = method.main_input
    start = halo + step
    networks = Networks({name: network.double() for name, network in networks.items()})
    batch = {name: plane[None].double() for name, plane in inputs.items()}
    picture = batch[first].requires_grad_()
    outputs = method.predict(batch, networks)
    for name, plane in method.outputs.items():
        scale = exact_scale(plane)
        block = slice(int(start * scale), int((start + step) * scale))
        (slope,) = torch.autograd.grad(outputs[name][..., block, block].sum(), picture, retain_graph=True)
        places = slope[0].abs().sum(0).nonzero()
        if not len(places):  # saturated or blind here; what was compared above has to do
            continue
        reach = max(start - int(places.min()), int(places.max()) - (start + step - 1))
        require(reach <= halo, f"{name!r} depends on pixels {reach} away, but the halo is {method.tiling.halo}")


def _predict(method: Method, networks: Networks, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    with torch.inference_mode(), chance(3):
        return method.predict(batch, networks)


def _run(method: Method, networks: Networks, inputs: dict[str, Tensor], tile: int | None = None) -> dict[str, Tensor]:
    with chance(3):
        return predict_picture(method, networks, inputs, tile=tile)


CHECKS: tuple[Callable[[Subject], None], ...] = (
    weights_files_hold_everything,
    pictures_of_any_size_work,
    a_batch_predicts_what_its_pictures_do,
    exact_tiles_equal_the_whole,
)
