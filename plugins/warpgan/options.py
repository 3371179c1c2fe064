"""What ``predict``, ``evaluate`` and the commands of this family can be asked. Imports no torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from restore.core.settings import Flag, Positional, Settings


class WarpGANPredictOptions(Settings):
    """What is drawn of each photograph. It should show one face, aligned as in training: see restore data align."""

    styles: Annotated[int, Field(ge=1, le=64)] = 5
    """How many styles to draw each photograph in, chosen at random: <name>-style1.png, …."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the styles, which are the same for every photograph."""
    style_of: Path | None = None
    """A caricature whose style to take instead: <name>-styled.png."""
    exaggeration: Annotated[float, Field(ge=-10, le=10)] = 1.0
    """How far to exaggerate: 0 leaves shapes as they are, 1 is what was learned, negative values do the opposite."""
    sweep: str | None = None
    """Several of these numbers, as 0,0.5,1,1.5,2: <name>-sweep.png shows them side by side, a row for each style. A
    sheet of more than 33 million pixels is refused: each image on it is as large as the photograph."""
    draw_points: bool = False
    """Also draw the control points and the displacement field: <name>-points.png."""

    @field_validator("sweep")
    @classmethod
    def _numbers(cls, value: str | None) -> str | None:
        for word in (value or "0").split(","):
            try:
                number = float(word)
            except ValueError:
                number = math.nan
            if not abs(number) <= 10:
                raise ValueError(f"{word.strip()!r} is no number from -10 to 10; expected numbers as 0,0.5,1,1.5,2")
        return value

    @property
    def exaggerations(self) -> tuple[float, ...]:
        """The numbers of the sweep; none without one."""
        return tuple(float(word) for word in self.sweep.split(",")) if self.sweep else ()


class WarpGANEvaluateOptions(Settings):
    """Which images are measured, and who judges faces."""

    list_file: Annotated[Path | None, Flag("--list")] = None
    """Text file that names the images to measure, relative to --data."""
    embedder: Path | None = None
    """ONNX file of a face recognizer: images (B, 3, side, side) in [-1, 1] to features (B, K), compared by their
    cosine; needs pip install 'restorekit[onnx]'. Unset: the features of the discriminator, which the generator was
    trained to please."""
    embedder_size: Annotated[int, Field(ge=8)] | None = None
    """Side of the images that the recognizer (--embedder) is given; unset: as they are."""
    fid: str | None = None
    """Also measure the Fréchet distance between generated caricatures and those drawn by hand: inception (features of
    torch-fidelity, pip install 'restorekit[metrics]', downloaded once), or the path of that file of weights."""

    @model_validator(mode="after")
    def _size_of_something(self) -> Self:
        if self.embedder_size is not None and self.embedder is None:
            raise ValueError("embedder_size is the side of what embedder is given, which is not set; set both or none")
        return self


class AlignSettings(Settings):
    """Faces are turned, scaled and shifted so that eyes, nose and mouth lie where WarpGAN wants them.

    Images come from folders of people, as WebCaricature's OriginalImages, or from a single folder. Without
    --landmarks a face detector looks for them; without both the middle of the image is cut out, which is right only
    for faces that fill it.
    """

    folder: Annotated[Path, Positional("FOLDER")]
    """Folder of images, or of folders of them."""
    output: Path = Path("aligned")
    """Folder for the aligned images; folders inside keep their names."""
    landmarks: Path | None = None
    """Folder of landmark files (WebCaricature's FacialPoints: 17 lines "x y" an image; or 5), or a text file with a
    line "path x1 y1 … x5 y5" for each image."""
    detector: str = "auto"
    """Which face detector finds landmarks that are not given: yunet (OpenCV's, pip install 'restorekit[faces]', the
    model downloaded once), the path of a YuNet file, or auto: yunet where both are already on this machine."""
    size: Annotated[int, Field(ge=16, le=4096)] = 256
    """Side of the aligned images in pixels."""
    face_size: Annotated[float, Field(gt=0, le=4)] = 0.7
    """How large the face is: 0.7 leaves room for hair and chins, as WarpGAN was trained."""
    visualize: bool = False
    """Also write the images with the points that were found, into <output>-landmarks/."""
    overwrite: bool = False
    """Replace aligned images that are there already."""


class ExaggerateSettings(Settings):
    """The same photograph, more and more exaggerated. It should be aligned: see restore data align."""

    image: Annotated[Path, Positional("PHOTO")]
    """A photograph of one face."""
    output: Path = Path("exaggerated.gif")
    """A .gif that goes there and back, or a .png strip of all images side by side."""
    overwrite: bool = False
    """Replace the file if it is there already."""
    first: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """How far the first image is exaggerated; 0 leaves shapes as they are."""
    last: Annotated[float, Field(ge=-10, le=10)] = 2.0
    """How far the last one is; 1 is what was learned."""
    steps: Annotated[int, Field(ge=2, le=200)] = 9
    """How many images."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the style."""
    style_of: Path | None = None
    """A caricature whose style to take instead."""
