"""What goes in and comes out has the sizes that were declared."""

import pytest
from tasks_in_use import Computed, Used, image, upscaling, used

from restore.core.errors import DataError, RestoreError
from restore.core.inference.canvas import Canvas
from restore.core.specs import ImageSpec, Tiling


def test_inputs_that_do_not_fit_are_named():
    task = upscaling(2)
    with pytest.raises(DataError, match=r"'input' has 1 x 4 x 4 channels x height x width; expected 3 x 4 x 4"):
        used(task, image(4, 4, channels=1))
    two = Used(Computed(lambda x: x), Tiling(), {"input": ImageSpec(), "mask": ImageSpec(1)})
    with pytest.raises(DataError, match="'mask' is missing"):
        used(two, image(4, 4))


def test_an_output_of_another_size_than_declared_is_named():
    task = Used(Computed(lambda x: x), Tiling("exact", 0), outputs={"output": ImageSpec(scale=2)})
    with pytest.raises(RestoreError, match=r"Used declares an output 'output' of shape \(1, 3, 8, 8\)"):
        used(task, image(4, 4))


def test_a_canvas_has_whole_pixels_in_every_plane():
    task = Used(Computed(lambda x: x), Tiling(multiple_of=4), outputs={"output": ImageSpec(scale=1 / 3)})
    laid = Canvas.of(task, {"input": image(5, 13)})
    assert (laid.step, laid.height, laid.width) == (12, 12, 24)
