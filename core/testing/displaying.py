"""Checks of what a task declares for pages: marks of options, maps of classes, options that it chooses."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from restore.core.controls import ControlPoints, MovedPoint, Seed, Slider
from restore.core.inference.engine import predict_image
from restore.core.method import Method
from restore.core.seeding import seeded
from restore.core.setting_types import item_types, union_members
from restore.core.settings import leaves
from restore.core.testing.under_test import TaskUnderTest, random_inputs, require

SIZE = (40, 56)
"""Height and width of the test image."""


def marks_of_options_fit(tested: TaskUnderTest) -> None:
    """Sliders, seeds and control points mark options of the right type, and name options that exist."""
    named = {".".join(path): info for path, info in leaves(tested.method_type.predict_options_type)}
    for name, info in named.items():
        kinds = set(union_members(info.annotation)) - {type(None)}
        for mark in info.metadata:
            if isinstance(mark, Slider):
                require(kinds & {int, float}, f"{name}: Slider marks a number")
                require(mark.low < mark.high and mark.step > 0, f"{name}: the slider has no range")
                for value in (mark.low, mark.high):
                    _require_allowed(name, info, value)
            elif isinstance(mark, Seed):
                require(kinds == {int}, f"{name}: Seed marks a whole number")
            elif isinstance(mark, ControlPoints):
                points = any(item_types(kind) == [MovedPoint] for kind in kinds)
                require(points, f"{name}: ControlPoints marks an option of the type MovedPoints")
            for other in (getattr(mark, "needs", None), getattr(mark, "scaled_by", None)):
                require(other is None or other in named, f"{name}: its mark names {other!r}, which is no option")


def _require_allowed(name: str, info: FieldInfo, value: float) -> None:
    """Check that a field allows a value."""
    allowed: Any = Annotated[(info.annotation, *info.metadata)]
    try:
        TypeAdapter(allowed).validate_python(value)
    except ValidationError:
        require(False, f"{name}: the slider reaches {value}, which the option does not allow")


def class_maps_are_parts_of_the_result(tested: TaskUnderTest) -> None:
    """The maps of classes are images of one channel that `Method.render` returns, or indices of classes."""
    method, networks = tested.open(tested.predict_options())
    maps = method.class_maps
    if maps is None:
        return
    inputs = random_inputs(method, *SIZE)
    with seeded(3):
        rendered = method.render(predict_image(method, networks, inputs), inputs)
    require(maps.classes, "class_maps has no class")
    named = method.predict_options_type.model_fields
    require(maps.option is None or maps.option in named, f"class_maps: {maps.option!r} is no option of predict")
    parts = {each.part for each in maps.classes} if maps.numbers is None else {maps.numbers}
    for part in parts:
        require(part in rendered, f"class_maps: render() returns no part {part!r}")
        shown = rendered[part]
        image = shown if isinstance(shown, torch.Tensor) else shown.image
        require(len(image) == 1, f"class_maps: the part {part!r} has {len(image)} channels, not 1")
        if maps.numbers is not None:
            largest = int((255 * image).round().max())
            require(largest < len(maps.classes), f"class_maps: {part!r} holds {largest}, and there is no such class")
    colors = [value for each in maps.classes for value in each.color or ()]
    require(all(0 <= value <= 1 for value in colors), "class_maps: colors are red, green and blue in [0, 1]")


def chosen_options_change_nothing(tested: TaskUnderTest) -> None:
    """A prediction with the options that a method chose equals the one without them, also after a way through JSON."""
    if tested.method_type.choose_options is Method.choose_options:
        return
    method, networks = tested.open(tested.predict_options())
    inputs = random_inputs(method, *SIZE)
    with torch.inference_mode(), seeded(3):
        chosen = method.choose_options({name: each[None] for name, each in inputs.items()}, networks)
    require(chosen, "choose_options() returns nothing when no option is given")
    options = method.predict_options_type.model_validate_json(json.dumps(dict(chosen), allow_nan=False))
    results = []
    for used in (method, method.with_options(predict=options)):
        with seeded(3):
            results.append(predict_image(used, networks, inputs))
    before, after = results
    for name, spec in method.outputs.items():
        difference = float((before[name] - after[name]).abs().max())
        good = math.isfinite(difference) and difference <= 1e-3 * (spec.high - spec.low)
        require(good, f"{name!r} changes by {difference} when the chosen options are given")


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    marks_of_options_fit,
    class_maps_are_parts_of_the_result,
    chosen_options_change_nothing,
)
