"""Metrics of caricatures, and the embedders that compare identities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.errors import DataError, UsageError
from restore.core.metrics import Metric
from restore.core.networks import Networks
from restore.core.runtime.devices import in_float64
from restore.plugins.common.learned.distributions import FrechetDistance
from restore.plugins.common.learned.inception import INCEPTION
from restore.plugins.common.metrics import PrecomputedMetric
from restore.plugins.warpgan import control_points
from restore.plugins.warpgan.networks.discriminator import DiscriminatorOutput, predict_identity
from restore.plugins.warpgan.networks.generator import Drawing
from restore.plugins.warpgan.step import texture_error

FALSE_ACCEPTS = 0.01
"""Accepted fraction of impostor pairs in a verification."""


@dataclass(frozen=True)
class Rank1(PrecomputedMetric):
    """Fraction of images whose nearest photograph in the gallery shows the same person.

    Rows are those of `join_identity`. The gallery contains the photographs of all rows except the one that an image was
    made from, unless the person has no other. It is NaN for a single row.
    """

    @override
    def reduce(self, rows: Tensor) -> float:
        """Return the fraction, in [0, 1]."""
        if len(rows) < 2:
            return float("nan")
        same, scores, compared = similarities(rows)
        nearest = scores.masked_fill(~compared, -torch.inf).argmax(1, keepdim=True)
        return float(same.gather(1, nearest).double().mean())


@dataclass(frozen=True)
class Verification(PrecomputedMetric):
    """Fraction of genuine pairs that are accepted when at most 1 % of the impostor pairs are accepted.

    VR at FAR 1 % of Huo et al., 2018; pairs as in `Rank1`. The threshold is the lowest that keeps the false accept
    rate. Without impostor pairs every pair is accepted. It is NaN for a single row.
    """

    @override
    def reduce(self, rows: Tensor) -> float:
        """Return the fraction, in [0, 1]."""
        if len(rows) < 2:
            return float("nan")
        same, scores, compared = similarities(rows)
        genuine, impostors = scores[same & compared], scores[~same].sort(descending=True).values
        if not len(impostors):
            return 1.0
        return float((genuine > impostors[int(FALSE_ACCEPTS * len(impostors))]).double().mean())


def join_identity(identity: Tensor, asked: Tensor, photograph: Tensor) -> Tensor:
    """Return rows of `Rank1` and `Verification`: identity (B,), features (B, K) of queries and of photographs."""
    return torch.cat([in_float64(identity[:, None]), in_float64(asked), in_float64(photograph)], dim=1)


def similarities(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each query and photograph, (N, N): whether the person is the same, the cosine, and whether to compare.

    A query is not compared with the photograph that it was made from, unless the person has no other.
    """
    identities, features = rows[:, 0], rows[:, 1:].double()
    asked, photographs = (F.normalize(half, dim=1) for half in features.chunk(2, dim=1))
    same = identities[:, None] == identities
    alone = same.sum(1) == 1
    return same, asked @ photographs.T, ~torch.eye(len(rows), dtype=torch.bool) | alone[:, None]


FeatureExtractor = Callable[[Tensor], Tensor]
"""Features (B, K) of images (B, 3, H, W) in [0, 1]."""


class FaceEmbedder(Protocol):
    """Computes features of faces, so that identities can be compared."""

    @property
    def called(self) -> str:
        """Name in conventions."""
        ...

    def features(self, images: Tensor, networks: Networks) -> Tensor:
        """Return features (B, K) of faces (B, 3, H, W) in [-1, 1]."""
        ...


@dataclass(frozen=True)
class DiscriminatorEmbedder:
    """The discriminator's features as a `FaceEmbedder`: always available, but the generator was trained on them."""

    called: str = "features of its own discriminator"

    def features(self, images: Tensor, networks: Networks) -> Tensor:
        """Return features of length 1."""
        output: DiscriminatorOutput = networks.discriminator(images)
        return output.embedding


@dataclass(frozen=True)
class OnnxEmbedder:
    """A face recognizer in an ONNX file as a `FaceEmbedder`; needs onnxruntime."""

    session: Any
    """An ``onnxruntime.InferenceSession``."""
    called: str
    size: int | None = None

    @classmethod
    def read(cls, path: Path, size: int | None = None) -> OnnxEmbedder:
        """Read an ONNX file.

        Raises UsageError if it does not exist or onnxruntime is not installed, DataError if it is not an ONNX file.
        """
        return cls(_session(path), f"features of {path.name}", size)

    def features(self, images: Tensor, networks: Networks) -> Tensor:  # noqa: ARG002
        """Return the model's output. Raises DataError unless it is one vector per image."""
        wanted = images if self.size is None else F.interpolate(images, (self.size, self.size), mode="bilinear")
        name = self.session.get_inputs()[0].name
        try:
            (found, *_) = self.session.run(None, {name: wanted.float().cpu().numpy()})
        except Exception as error:
            first = str(error).strip().splitlines()[-1]
            raise DataError(
                f"--embedder: the model rejects images {tuple(wanted.shape)}: {first}; set --embedder-size"
            ) from error
        if found.ndim != 2 or len(found) != len(images):
            raise DataError("--embedder: the model must return features (B, K) for images (B, 3, height, width)")
        return torch.from_numpy(found).to(images.device)


@lru_cache(maxsize=2)
def _session(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"--embedder {path}: no such file")
    if find_spec("onnxruntime") is None:
        raise UsageError(f"--embedder {path}: needs onnxruntime: pip install 'restorekit[onnx]'")
    try:
        return import_module("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise DataError(f"--embedder {path}: not an ONNX file, or damaged") from error


def metrics(embedder: FaceEmbedder | None, known: bool, fid: str | None = None) -> dict[str, Metric]:
    """Return all metrics by name; those of identities need an embedder.

    Args:
        embedder: compares identities; None leaves these metrics out.
        known: whether the discriminator knows the identities of the data.
        fid: features for the Fréchet distance, see `inception_features`; None leaves it out.
    """
    found: dict[str, Metric] = {
        "texture": PrecomputedMetric(
            "texture", "L1 of redrawn photographs and caricatures, in parts of white", "lower"
        ),
        "diversity": PrecomputedMetric("diversity", "L1 between two random styles, in parts of white"),
        "displacement": PrecomputedMetric("displacement", "mean length over control points, in sides of the image"),
        "inside": PrecomputedMetric("inside", "share of control points inside the image"),
        "folded": PrecomputedMetric("folded", "share of places where the warp is folded", "lower"),
    }
    if embedder is not None:
        gallery = f"cosine of {embedder.called}, gallery: the other photographs"
        found |= {
            "rank-1": Rank1("rank-1", gallery),
            "rank-1-hand-drawn": Rank1("rank-1-hand-drawn", gallery),
            "rank-1-photograph": Rank1("rank-1-photograph", gallery),
            "verification": Verification("verification", f"{gallery}, at {FALSE_ACCEPTS:.0%} false accepts"),
        }
    if known and isinstance(embedder, DiscriminatorEmbedder):
        found["own-identity"] = PrecomputedMetric(
            "own-identity", "share that its own discriminator takes for the right person", "higher"
        )
    if fid is not None:
        whose = "torch-fidelity" if fid == INCEPTION else Path(fid).name
        found["fid"] = FrechetDistance(convention=f"Inception features of {whose}, to caricatures drawn by hand")
    return found


def numbers(
    batch: Batch, networks: Networks, style: int, embedder: FaceEmbedder | None, looks: FeatureExtractor | None = None
) -> Mapping[str, Tensor]:
    """Return the values of each metric, (B, K), for photographs drawn in two random styles.

    Args:
        batch: ``input``, ``target`` and ``identity``.
        networks: the networks.
        style: dimensions of the style code.
        embedder: compares identities; None leaves these metrics out.
        looks: features for the Fréchet distance; None leaves it out.
    """
    photograph, caricature = 2 * batch["input"] - 1, 2 * batch["target"] - 1
    count, (height, width) = len(photograph), photograph.shape[-2:]
    styles = torch.randn(2 * count, style).to(photograph)
    everything = torch.cat([photograph, photograph, caricature])
    drawing: Drawing = networks.generator(everything, styles, reconstruct=True)
    assert drawing.reconstructed is not None
    errors = texture_error(drawing.reconstructed, everything)[count:].view(2, count)
    warp = control_points.statistics(drawing.points[:count], drawing.displacements[:count], height, width)
    found = {
        "texture": errors.mean(0) / 2,
        "diversity": (drawing.rendered[:count] - drawing.rendered[count:]).abs().flatten(1).mean(1) / 2,
        "displacement": warp["displacement"],
        "inside": 1 - warp["outside"],
        "folded": warp["folded"],
    }
    drawn, identity = drawing.image[:count], batch["identity"]
    if looks is not None:
        found["fid"] = torch.cat([looks((drawn + 1) / 2), looks(batch["target"])], dim=1)
    if embedder is None:
        return found
    generated, real, by_hand = embedder.features(torch.cat([drawn, photograph, caricature]), networks).chunk(3)
    found |= {
        "rank-1": join_identity(identity, generated, real),
        "rank-1-hand-drawn": join_identity(identity, by_hand, real),
        "rank-1-photograph": join_identity(identity, real, real),
        "verification": join_identity(identity, generated, real),
    }
    if isinstance(embedder, DiscriminatorEmbedder):
        found["own-identity"] = predict_identity(networks.discriminator(drawn)) == identity
    return found
