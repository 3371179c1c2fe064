"""Checks of prediction: weights files, images of any size, tiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from restore.core.errors import RestoreError
from restore.core.images.files import OutputImage
from restore.core.inference.bands import Band
from restore.core.inference.canvas import Canvas, exact_scale
from restore.core.inference.engine import predict_image
from restore.core.inference.rendering import RenderedRows
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.seeding import seeded
from restore.core.testing.under_test import TaskUnderTest, random_inputs, require
from restore.core.weights.files import open_weights, save_weights

ODD_SIZES = ((37, 53), (1, 1), (2, 9))
"""Heights and widths of test images; the first must work, the others may be refused with a clear error."""

TOLERANCE = 1e-4
"""Allowed difference of tiles and batches to whole and single images, as a fraction of the output's range."""


def weights_files_hold_everything(tested: TaskUnderTest) -> None:
    """Networks predict the same, bit for bit, after saving and opening."""
    if not tested.learns:
        return
    method, networks = tested.open()
    path = save_weights(
        tested.folder / "saved.safetensors",
        task=tested.name,
        model=tested.settings.model.model_dump(mode="json"),
        networks=networks,
    )
    again, opened = open_weights(path, lambda *_: tested.method_type)
    inputs = random_inputs(method, 32, 32)
    before, after = (_run(used, networks, inputs) for used, networks in ((method, networks), (again, opened)))
    for name, plane in before.items():
        require(torch.equal(plane, after[name]), f"output {name!r} changes when the networks are saved and opened")


def images_of_any_size_work(tested: TaskUnderTest) -> None:
    """Odd sizes give outputs of the declared size; tiny images too, or a clear error."""
    method, networks = tested.open(tested.predict_options())
    for height, width in ODD_SIZES:
        inputs = random_inputs(method, height, width)
        try:
            outputs = _run(method, networks, inputs)
        except RestoreError as error:
            require((height, width) != ODD_SIZES[0], f"an image of {height} x {width} pixels is refused: {error}")
            continue
        for name, spec in method.outputs.items():
            scale = exact_scale(spec)
            wanted = (spec.channels, math.ceil(height * scale), math.ceil(width * scale))
            shape = tuple(outputs[name].shape)
            require(shape == wanted, f"{name!r} of an image of {height} x {width} is {shape}, not {wanted}")
        rendered = method.render(outputs, inputs)
        _require_images(rendered)
        absent = set(method.always_renders) - set(rendered)
        require(not absent, f"always_renders: render() does not return {absent}")


def _require_images(rendered: Mapping[str, Tensor | OutputImage]) -> None:
    require(rendered, "render() returns no image")
    for name, shown in rendered.items():
        image = shown.image if isinstance(shown, OutputImage) else shown
        good = image.dim() == 3 and image.shape[0] in (1, 3, 4) and bool(image.isfinite().all())
        require(good, f"render(): {name!r} of shape {tuple(image.shape)} is not an image (C, H, W)")


def a_batch_predicts_what_its_images_do(tested: TaskUnderTest) -> None:
    """The prediction of an image does not depend on the other images of its batch."""
    method, networks = tested.open()
    edge = 32 * method.tiling.multiple_of // math.gcd(32, method.tiling.multiple_of)
    pair = [random_inputs(method, edge, edge, seed) for seed in (1, 2)]
    together = _predict(method, networks, {name: torch.stack([one[name] for one in pair]) for name in pair[0]})
    for index, inputs in enumerate(pair):
        alone = _predict(method, networks, {name: spec[None] for name, spec in inputs.items()})
        for name, spec in method.outputs.items():
            difference = (together[name][index] - alone[name][0]).abs().max()
            require(difference <= TOLERANCE * (spec.high - spec.low), f"{name!r} depends on its batch: {difference}")


def exact_tiles_equal_the_whole(tested: TaskUnderTest) -> None:
    """Tiles declared exact equal the whole image: no output depends on more than its halo."""
    method, networks = tested.open()
    if method.tiling.mode != "exact":
        return
    step = method.tiling.multiple_of
    halo = math.ceil(method.tiling.halo / step) * step
    edge = 2 * halo + 3 * max(step, 16)
    inputs = random_inputs(method, edge, edge)
    whole = _run(method, networks, inputs)
    tiled = _run(method, networks, inputs, tile=max(step, 16))
    for name, spec in method.outputs.items():
        difference = (whole[name] - tiled[name]).abs().max()
        good = difference <= TOLERANCE * (spec.high - spec.low)
        require(good, f"{name!r}: tiles differ from the whole image by {difference}")
    _require_local(method, networks, inputs, step, halo)


def strips_are_rendered_as_the_whole(tested: TaskUnderTest) -> None:
    """Images that are rendered in strips of rows equal those of the whole, if ``pixel_reach`` says that they may be."""
    method, networks = tested.open(tested.predict_options())
    if method.pixel_reach is None:
        return
    inputs = random_inputs(method, 37, 21)
    outputs = _run(method, networks, inputs)
    strips: dict[str, list[Tensor]] = {}

    def write(name: str, rows: OutputImage, _: tuple[int, int]) -> None:
        strips.setdefault(name, []).append(rows.image)

    canvas = Canvas.of(method, inputs)
    RenderedRows(canvas, method.render, method.pixel_reach, write, most=5).add(Band(slice(0, canvas.height), outputs))
    for name, shown in method.render(outputs, inputs).items():
        image = shown.image if isinstance(shown, OutputImage) else shown
        joined = torch.cat(strips.get(name, [torch.empty(0)]), dim=1)
        good = joined.shape == image.shape and bool((joined - image).abs().max() <= TOLERANCE)
        require(good, f"render(): {name!r} depends on more than pixel_reach = {method.pixel_reach}; use None")


def _require_local(method: Method, networks: Networks, inputs: dict[str, Tensor], step: int, halo: int) -> None:
    """Check the receptive field by gradients in float64, which show even the smallest influence."""
    first = method.main_input
    start = halo + step
    networks = Networks({name: network.double() for name, network in networks.items()})
    batch = {name: spec[None].double() for name, spec in inputs.items()}
    image = batch[first].requires_grad_()
    outputs = method.predict(batch, networks)
    for name, spec in method.outputs.items():
        scale = exact_scale(spec)
        block = slice(int(start * scale), int((start + step) * scale))
        (slope,) = torch.autograd.grad(outputs[name][..., block, block].sum(), image, retain_graph=True)
        places = slope[0].abs().sum(0).nonzero()
        if not len(places):  # no gradient here, such as in saturation; the comparison above must suffice
            continue
        reach = max(start - int(places.min()), int(places.max()) - (start + step - 1))
        require(reach <= halo, f"{name!r} depends on pixels {reach} away, but the halo is {method.tiling.halo}")


def _predict(method: Method, networks: Networks, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    with torch.inference_mode(), seeded(3):
        return method.predict(batch, networks)


def _run(method: Method, networks: Networks, inputs: dict[str, Tensor], tile: int | None = None) -> dict[str, Tensor]:
    with seeded(3):
        return predict_image(method, networks, inputs, tile=tile)


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    weights_files_hold_everything,
    images_of_any_size_work,
    a_batch_predicts_what_its_images_do,
    exact_tiles_equal_the_whole,
    strips_are_rendered_as_the_whole,
)
