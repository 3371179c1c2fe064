"""Alignment: the least-squares similarity, the reference points and the image that is sampled there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from restore.core.errors import DataError
from restore.plugins.warpgan.data.alignment import align_face, reference, similarity, transform_points
from restore.plugins.warpgan.data.detection import middle

ANGLES = st.floats(-3, 3)
SHIFTS = st.floats(-50, 50)


@given(ANGLES, st.floats(0.2, 5), SHIFTS, SHIFTS)
def test_a_similarity_is_recovered_exactly(angle: float, size: float, right: float, down: float) -> None:
    true = np.array(
        [[size * np.cos(angle), -size * np.sin(angle), right], [size * np.sin(angle), size * np.cos(angle), down]]
    )
    points = reference(100)
    assert np.allclose(similarity(points, transform_points(points, true)), true, atol=1e-8)


def test_noisy_points_are_fitted_as_scikit_image_does() -> None:
    random = np.random.default_rng(0)
    source = random.uniform(0, 100, (5, 2))
    target = reference(64) + random.normal(0, 2, (5, 2))
    theirs = (
        SimilarityTransform.from_estimate(source, target) if hasattr(SimilarityTransform, "from_estimate") else None
    )
    if theirs is None:
        theirs = SimilarityTransform()
        assert theirs.estimate(source, target)
    assert np.allclose(similarity(source, target), theirs.params[:2])


def test_mirrored_points_are_not_mirrored_back() -> None:
    points = reference(100)
    transform = similarity(points * [-1, 1], points)
    assert np.linalg.det(transform[:, :2]) > 0


def test_landmarks_at_one_place_are_refused() -> None:
    with pytest.raises(DataError, match="at the same position"):
        similarity(np.ones((5, 2)), reference(64))


def test_reference_points_are_those_of_the_authors() -> None:
    """At 256 pixels and scale 0.7: eyes 56 pixels apart, mouth below the nose below the eyes."""
    eyes, nose, mouth = reference(256)[:2], reference(256)[2], reference(256)[3:]
    assert eyes[1, 0] - eyes[0, 0] == pytest.approx(0.314617858 * 0.7 * 256)
    assert eyes[:, 1].max() < nose[1] < mouth[:, 1].min()


def test_an_aligned_image_has_its_landmarks_at_the_reference_points() -> None:
    """Dots at the landmarks of a turned, larger face appear where they belong."""
    angle, size = 0.3, 2.2
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = reference(64) @ turn.T + [40.0, 5.0]
    rows, columns = np.mgrid[:190, :190]
    image = torch.zeros(3, 190, 190)
    for x, y in landmarks:
        image += torch.from_numpy(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)).float()
    result = align_face(image, landmarks, 64)[0]
    assert result.shape == (64, 64)
    for x, y in reference(64):
        window = result[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4]
        peak = torch.cartesian_prod(torch.arange(7.0), torch.arange(7.0))
        place = (peak * window.reshape(-1, 1)).sum(0) / window.sum() + torch.tensor([round(y) - 3.0, round(x) - 3.0])
        assert torch.allclose(place, torch.tensor([y, x], dtype=torch.float), atol=0.4)


def test_an_aligned_image_stays_as_it_is() -> None:
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(align_face(image, reference(64), 64), image, atol=1e-4)


def test_what_shrinks_is_averaged() -> None:
    """A fine checkerboard becomes gray instead of another pattern."""
    rows, columns = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    board = ((rows + columns) % 2).float().expand(3, -1, -1).contiguous()
    result = align_face(board, reference(256), 32)
    assert (result - 0.5)[:, 1:-1, 1:-1].abs().max() < 0.05


def test_the_middle_of_an_image_is_taken_where_no_landmarks_are_known() -> None:
    image = torch.rand(3, 40, 60, generator=torch.Generator().manual_seed(0))
    result = align_face(image, middle(40, 60), 40)
    assert torch.allclose(result, image[:, :, 10:50], atol=1e-4)
