"""The drawn sample: people who can be told apart, and caricatures that exaggerate what tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from restore.plugins.warpgan.data.alignment import reference, similarity, transform_points
from restore.plugins.warpgan.synthetic_faces.anatomy import Anatomy, Expression
from restore.plugins.warpgan.synthetic_faces.faces import Drawing, caricature, photograph
from restore.plugins.warpgan.synthetic_faces.identities import LARGEST, identities

SIZE = 48


def drawn(kind, identity: int, number: int) -> Drawing:
    return kind(identities(identity + 1, seed=0)[identity], np.random.default_rng([identity, number]), SIZE)


@pytest.mark.parametrize("kind", [photograph, caricature])
def test_a_drawing_is_a_function_of_its_seed(kind) -> None:
    first, again, other = drawn(kind, 3, 1), drawn(kind, 3, 1), drawn(kind, 3, 2)
    assert first.image.shape == (SIZE, SIZE, 3)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)


def test_more_people_do_not_change_the_first_ones() -> None:
    assert identities(3, seed=5) == identities(9, seed=5)[:3]
    assert identities(3, seed=5)[0].traits == identities(9, seed=5)[0].traits


@pytest.mark.parametrize("kind", [photograph, caricature])
def test_drawings_are_aligned(kind) -> None:
    landmarks = drawn(kind, 1, 0).landmarks
    here = similarity(landmarks, reference(SIZE))
    assert np.allclose(
        transform_points(landmarks, here), landmarks, atol=0.6
    )  # half a pixel: where its middle is counted


def test_landmarks_lie_on_what_they_name() -> None:
    """The middle of an eye has a dark iris: darker than the skin beside the nose."""
    drawing = drawn(caricature, 4, 0)
    brightness = drawing.image.mean(2)
    for x, y in drawing.landmarks[:2]:
        around = brightness[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2]
        assert around.min() < 0.5 * np.median(brightness)


def test_a_caricature_is_further_from_the_mean_face_in_every_trait() -> None:
    identity = identities(1, seed=2)[0]
    stretched = identity.exaggerate(2.0)
    for name, value in identity.traits.items():
        assert stretched.traits[name] == pytest.approx(np.clip(2 * value, -LARGEST, LARGEST))
    assert (stretched.skin, stretched.haircut) == (identity.skin, identity.haircut)


def test_exaggerating_moves_the_features_of_a_face_away_from_those_of_the_mean() -> None:
    identity = identities(1, seed=0)[0]
    mean, real, exaggerated = (
        Anatomy(identity.exaggerate(factor), Expression()).landmarks() for factor in (0.0, 1.0, 2.0)
    )
    assert np.linalg.norm(exaggerated - mean) > 1.5 * np.linalg.norm(real - mean)


def test_images_of_one_person_are_nearer_to_each_other_than_to_those_of_others() -> None:
    photographs = np.stack([[drawn(photograph, identity, n).image / 255 for n in range(3)] for identity in range(4)])
    face = photographs[:, :, SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4]
    within = np.abs(face - face.mean(1, keepdims=True)).mean()
    between = np.abs(face.mean(1) - face.mean((0, 1))).mean()
    assert between > within


def test_a_turned_head_moves_the_nose_more_than_the_eyes() -> None:
    identity = identities(1, seed=0)[0]
    straight, turned = (Anatomy(identity, Expression(yaw=yaw)).landmarks() for yaw in (0.0, 0.2))
    moves = (turned - straight)[:, 0]
    assert moves[2] > moves[:2].mean() > 0
