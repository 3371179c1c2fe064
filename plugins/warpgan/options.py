"""Options of ``predict``, ``evaluate`` and the commands of this family. Imports no torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from restore.core.controls import ControlPoints, MovedPoints, Seed, Slider
from restore.core.settings import Flag, ImagePath, Positional, Settings


class WarpGANPredictOptions(Settings):
    """Options of ``restore predict``. A photograph should show one face, aligned as in training: restore data align."""

    styles: Annotated[int, Field(ge=1, le=64)] = 5
    """Number of random styles per photograph: <name>-style1.png, …."""
    seed: Annotated[int, Field(ge=0, lt=2**63), Seed()] = 0
    """Seed of the styles, which are the same for every photograph."""
    style_of: Annotated[Path | None, ImagePath()] = None
    """Caricature to take the style from, instead of random styles: <name>-styled.png."""
    exaggeration: Annotated[float, Field(ge=-10, le=10), Slider(-1, 3, 0.05)] = 1.0
    """Strength of the warp: 0 keeps the shape, 1 is the predicted exaggeration, negative values invert it."""
    control_points: Annotated[MovedPoints | None, ControlPoints(scaled_by="exaggeration")] = None
    """Control points and where they move, [[x, y, to_x, to_y], …] in pixels of the photograph, instead of the predicted
    ones, which 'restore control-points' prints; exaggeration multiplies the displacements."""
    sweep: str | None = None
    """Several strengths, such as 0,0.5,1,1.5,2: <name>-sweep.png shows them side by side, one row per style. Each image
    on the sheet is as large as the photograph; sheets above 33 million pixels are rejected."""
    draw_points: bool = False
    """Also write the control points and the displacement field: <name>-points.png."""

    @field_validator("sweep")
    @classmethod
    def _numbers(cls, value: str | None) -> str | None:
        for word in (value or "0").split(","):
            try:
                number = float(word)
            except ValueError:
                number = math.nan
            if not abs(number) <= 10:
                raise ValueError(f"{word.strip()!r} is not a number from -10 to 10; expected a list like 0,0.5,1,1.5,2")
        return value

    @property
    def exaggerations(self) -> tuple[float, ...]:
        """Strengths of the sweep; empty without a sweep."""
        return tuple(float(word) for word in self.sweep.split(",")) if self.sweep else ()


class WarpGANEvaluateOptions(Settings):
    """Options of ``restore evaluate``."""

    list_file: Annotated[Path | None, Flag("--list")] = None
    """Text file with the images to evaluate, relative to --data."""
    embedder: Path | None = None
    """ONNX file of a face recognizer: images (B, 3, side, side) in [-1, 1] to features (B, K), compared by cosine
    similarity; needs pip install 'restorekit[onnx]'. Unset: the features of the discriminator, which favor its own
    generator."""
    embedder_size: Annotated[int, Field(ge=8)] | None = None
    """Input side of the face recognizer (--embedder) in pixels; unset: images are not resized."""
    fid: str | None = None
    """Also measure the Fréchet distance between generated and hand-drawn caricatures: inception (features of
    torch-fidelity, downloaded once; needs pip install 'restorekit[metrics]'), or the path of that weights file."""

    @model_validator(mode="after")
    def _size_of_something(self) -> Self:
        if self.embedder_size is not None and self.embedder is None:
            raise ValueError("embedder_size is set without embedder; set both or neither")
        return self


class AlignSettings(Settings):
    """Rotate, scale and shift faces so that eyes, nose and mouth lie at WarpGAN's reference points.

    Images come from one folder per person, as in WebCaricature's OriginalImages, or from a single folder. Without
    --landmarks a face detector finds them; without a detector the center of the image is used, which is right only
    if the face fills it.
    """

    folder: Annotated[Path, Positional("FOLDER")]
    """Folder of images, or of one folder of images per person."""
    output: Path = Path("aligned")
    """Folder for the aligned images; subfolders keep their names."""
    landmarks: Path | None = None
    """Folder of landmark files (one per image, 17 lines "x y" as in WebCaricature's FacialPoints, or 5), or a text file
    with one line "path x1 y1 … x5 y5" per image."""
    detector: str = "auto"
    """Face detector, used without --landmarks: yunet (OpenCV's YuNet, needs pip install 'restorekit[faces]'; the model
    is downloaded once), the path of a YuNet model, or auto: yunet if both are already on this machine."""
    size: Annotated[int, Field(ge=16, le=4096)] = 256
    """Side of the aligned images in pixels."""
    face_size: Annotated[float, Field(gt=0, le=4)] = 0.7
    """Scale of the reference points relative to the image; 0.7, as WarpGAN was trained, leaves room for hair and
    chin."""
    visualize: bool = False
    """Also write the images with their landmarks, to <output>-landmarks/."""
    overwrite: bool = False
    """Replace existing files."""


class ControlPointsSettings(Settings):
    """Print the predicted control points of a photograph as JSON, for predict --control-points."""

    image: Annotated[Path, Positional("PHOTO")]
    """A photograph of one face."""


class ExaggerateSettings(Settings):
    """Render one photograph with growing exaggeration. The face should be aligned: see restore data align."""

    image: Annotated[Path, Positional("PHOTO")]
    """A photograph of one face."""
    output: Path = Path("exaggerated.gif")
    """File to write: a .gif animation that plays forward and backward, or a .png strip of all images."""
    overwrite: bool = False
    """Replace an existing file."""
    first: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """Exaggeration of the first image; 0 keeps the shape."""
    last: Annotated[float, Field(ge=-10, le=10)] = 2.0
    """Exaggeration of the last image; 1 is the predicted exaggeration."""
    steps: Annotated[int, Field(ge=2, le=200)] = 9
    """Number of images."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the style."""
    style_of: Path | None = None
    """Caricature to take the style from, instead of a random style."""
