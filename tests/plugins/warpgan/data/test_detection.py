"""The face detector: which one is used, and what it is shown and asked."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from restore.core.errors import DataError, UsageError
from restore.plugins.warpgan.data import detection
from restore.plugins.warpgan.data.alignment import reference, similarity
from restore.plugins.warpgan.data.detection import LARGEST_SIDE, YUNET_SHA256, find_detector, yunet


class Detector:
    """Finds what a test put into ``faces``, and keeps what it was shown."""

    faces: np.ndarray | None = None
    shown: np.ndarray
    size: tuple[int, int]

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 - OpenCV's name
        Detector.size = size

    def detect(self, image: np.ndarray) -> tuple[int, np.ndarray | None]:
        Detector.shown = image
        return 1, Detector.faces


def create(model: str, config: str, input_size: tuple[int, int], score_threshold: float) -> Detector:
    if Path(model).read_bytes() != b"yunet":
        raise OSError("can not read")
    return Detector()


@pytest.fixture
def opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("cv2")
    module.__spec__ = ModuleSpec("cv2", None)
    module.error, module.FaceDetectorYN = OSError, SimpleNamespace(create=create)
    monkeypatch.setitem(sys.modules, "cv2", module)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"yunet")
    return path


def face(points: np.ndarray, side: float) -> np.ndarray:
    """A row of YuNet's output: a box, five points from the person's right eye on, a score."""
    return np.concatenate([[0, 0, side, side], points.ravel(), [0.9]]).astype(np.float32)


@pytest.mark.usefixtures("opencv")
def test_the_largest_face_keeps_the_order_of_the_reference(model: Path) -> None:
    wanted = reference(100)  # upright: the person's right eye lies left in the image, where the reference begins
    Detector.faces = np.stack([face(wanted / 3, 20), face(wanted, 60)])
    image = torch.zeros(3, 100, 120)
    image[0] = 1
    points = yunet(model)(image)
    assert points is not None
    np.testing.assert_allclose(points, wanted, atol=1e-4)
    turn = similarity(points, reference(100))[:, :2]
    np.testing.assert_allclose(turn, np.eye(2), atol=1e-4)  # neither turned nor mirrored
    assert Detector.size == (120, 100)
    assert Detector.shown.shape == (100, 120, 3)
    assert Detector.shown[0, 0].tolist() == [0, 0, 255]  # blue comes first


@pytest.mark.usefixtures("opencv")
def test_large_images_are_made_smaller_and_points_larger(model: Path) -> None:
    Detector.faces = face(np.full((5, 2), 100.0), 50)[None]
    points = yunet(model)(torch.zeros(3, LARGEST_SIDE, 2 * LARGEST_SIDE))
    assert Detector.size == (LARGEST_SIDE, LARGEST_SIDE // 2)
    assert points is not None
    np.testing.assert_allclose(points, 200.5)  # middles of pixels stay middles


@pytest.mark.usefixtures("opencv")
@pytest.mark.parametrize("faces", [None, np.zeros((0, 15), dtype=np.float32)])
def test_no_face_is_none(model: Path, faces: np.ndarray | None) -> None:
    Detector.faces = faces
    assert yunet(model)(torch.zeros(3, 32, 32)) is None


@pytest.mark.usefixtures("opencv")
def test_auto_downloads_nothing_and_yunet_does_with_a_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    asked: list[str | None] = []

    def download(url: str, path: Path, *, sha256: str | None = None) -> Path:
        asked.append(sha256)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"yunet")
        return path

    monkeypatch.setattr(detection, "download", download)
    assert find_detector("auto") is None
    assert asked == []
    assert find_detector("yunet") is not None
    assert find_detector("auto") is not None  # the file is there now
    assert asked == [YUNET_SHA256]


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "find_spec", lambda name: None)
    assert find_detector("auto") is None
    with pytest.raises(UsageError, match=r"restorekit\[faces\]"):
        find_detector("yunet")
    monkeypatch.setattr(detection, "find_spec", lambda name: ModuleSpec(name, None))
    with pytest.raises(UsageError, match="no such file"):
        find_detector(str(tmp_path / "nothing.onnx"))


@pytest.mark.usefixtures("opencv")
def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"else")
    with pytest.raises(DataError, match="cannot load it as a face detector"):
        find_detector(str(tmp_path / "other.onnx"))


@pytest.mark.skipif(find_spec("cv2") is None, reason="OpenCV is not installed")
def test_opencv_itself_is_called_as_it_wants(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "other.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match="cannot load it as a face detector"):
        yunet(tmp_path / "other.onnx")
    assert {"setInputSize", "detect"} <= set(dir(cv2.FaceDetectorYN))
