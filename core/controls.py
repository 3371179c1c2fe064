"""Marks on options of ``restore predict`` that a person changes while looking at the result. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

Coordinate = Annotated[float, Field(ge=-1e5, le=1e5)]

MovedPoint = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
"""x and y of a point of the input image, and x and y of where its content goes, in pixels of that image: to the right
and down, from (0, 0), the center of the first pixel."""

MOST_POINTS = 256


def _count(points: tuple[MovedPoint, ...]) -> tuple[MovedPoint, ...]:
    if not 0 < len(points) <= MOST_POINTS:
        raise ValueError(f"expected 1 to {MOST_POINTS} points, got {len(points)}")
    return points


MovedPoints = Annotated[tuple[MovedPoint, ...], AfterValidator(_count)]
"""Type of an option that is a warp by control points; typed as JSON: ``[[x, y, to_x, to_y], …]``."""


@dataclass(frozen=True)
class Slider:
    """Marks a number that the page of ``restore serve`` shows as a slider below a result.

    When the slider is released, the page predicts again. The slider's range lies within the limits of the option.
    """

    kind: Literal["slider"] = field(default="slider", init=False)
    low: float
    high: float
    step: float = 0.01
    needs: str | None = None
    """Name of another option, such as a second image, without which the number has no effect; the slider is shown
    only if that option was given."""


@dataclass(frozen=True)
class Seed:
    """Marks the seed of random results: the page has a button for another seed."""

    kind: Literal["seed"] = field(default="seed", init=False)


@dataclass(frozen=True)
class ControlPoints:
    """Marks an option of the type `MovedPoints`: the page draws the points over the result, and they can be dragged.

    While the option is unset, the page draws the points of `Method.choose_options`.
    """

    kind: Literal["points"] = field(default="points", init=False)
    scaled_by: str | None = None
    """Name of the option whose value multiplies all displacements, if there is one."""


Control = Slider | Seed | ControlPoints
