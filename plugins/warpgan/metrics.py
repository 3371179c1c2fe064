"""What is measured of one caricature, and who judges whether it is still the same person."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import DataError, UsageError
from restore.core.measuring import Metric
from restore.core.steps import Batch, Modules
from restore.plugins.common.metrics import PrecomputedMetric
from restore.plugins.warpgan import control_points
from restore.plugins.warpgan.frechet import PUBLISHED, FrechetDistance
from restore.plugins.warpgan.losses import texture_error
from restore.plugins.warpgan.measures import FALSE_ACCEPTS, Rank1, Verification, with_person
from restore.plugins.warpgan.networks.discriminator import KINDS, Judgement
from restore.plugins.warpgan.networks.generator import Drawing

Looks = Callable[[Tensor], Tensor]
"""Features (B, K) of pictures (B, 3, H, W) in [0, 1]."""


class Judge(Protocol):
    """Describes faces, so that they can be compared."""

    @property
    def called(self) -> str:
        """What a convention calls it."""
        ...

    def features(self, pictures: Tensor, modules: Modules) -> Tensor:
        """Features (B, K) of faces (B, 3, H, W) in [-1, 1]."""
        ...


@dataclass(frozen=True)
class OwnDiscriminator:
    """The discriminator's features: at hand, but the generator was trained to please them; `Judge`."""

    called: str = "features of its own discriminator"

    def features(self, pictures: Tensor, modules: Modules) -> Tensor:
        """Of length 1."""
        judged: Judgement = modules.discriminator(pictures)
        return judged.embedding


@dataclass(frozen=True)
class Embedder:
    """A face recogniser in a file; `Judge`."""

    network: Any
    called: str
    size: int | None = None

    @classmethod
    def read(cls, path: Path, size: int | None = None) -> Embedder:
        """Read a TorchScript file. Raises UsageError where there is none, DataError where it is something else."""
        return cls(_script(path), f"features of {path.name}", size)

    def features(self, pictures: Tensor, modules: Modules) -> Tensor:  # noqa: ARG002 - the signature of every judge
        """What the file makes of the pictures. Raises DataError where that is no vector for each of them."""
        wanted = pictures if self.size is None else F.interpolate(pictures, (self.size, self.size), mode="bilinear")
        try:
            found = self.network.to(pictures.device)(wanted)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[-1]
            raise DataError(
                f"--embedder: it cannot use pictures {tuple(wanted.shape)}: {first}; try --embedder-size"
            ) from error
        if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != len(pictures):
            raise DataError("--embedder: it does not give features (B, K) for pictures (B, 3, height, width)")
        return found


@lru_cache(maxsize=2)
def _script(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"--embedder {path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch advises another format, which is read by running pickles
            return torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"--embedder {path}: is no TorchScript file, or is damaged") from error


def metrics(judge: Judge | None, known: bool, fid: str | None = None) -> dict[str, Metric]:
    """Every metric by name; those about people only where somebody can judge them.

    ``known`` says that the people are those that the discriminator knows by number, ``fid`` by whose features generated
    pictures are compared with drawn ones as sets; see `inception_features`.
    """
    found: dict[str, Metric] = {
        "texture": PrecomputedMetric(
            "texture", "L1 of redrawn photographs and caricatures, in parts of white", "lower"
        ),
        "diversity": PrecomputedMetric("diversity", "L1 between two styles by chance, in parts of white"),
        "displacement": PrecomputedMetric("displacement", "mean length over control points, in sides of the picture"),
        "inside": PrecomputedMetric("inside", "share of control points inside the picture"),
        "folded": PrecomputedMetric("folded", "share of places where the warp is folded", "lower"),
    }
    if judge is not None:
        gallery = f"cosine of {judge.called}, gallery: the other photographs"
        found |= {
            "rank-1": Rank1("rank-1", gallery),
            "rank-1-hand-drawn": Rank1("rank-1-hand-drawn", gallery),
            "rank-1-photograph": Rank1("rank-1-photograph", gallery),
            "verification": Verification("verification", f"{gallery}, at {FALSE_ACCEPTS:.0%} false accepts"),
        }
    if known and isinstance(judge, OwnDiscriminator):
        found["own-person"] = PrecomputedMetric(
            "own-person", "share that its own discriminator takes for the right person", "higher"
        )
    if fid is not None:
        whose = "torch-fidelity" if fid == PUBLISHED else Path(fid).name
        found["fid"] = FrechetDistance(convention=f"Inception features of {whose}, to caricatures drawn by hand")
    return found


def person_of(judged: Judgement) -> Tensor:
    """Who is most likely shown (B,), whatever the kind of picture."""
    of_each_kind = rearrange(judged.identities.softmax(1), "b (kind person) -> b kind person", kind=KINDS)
    return of_each_kind.sum(1).argmax(1)


def numbers(
    batch: Batch, modules: Modules, style: int, judge: Judge | None, looks: Looks | None = None
) -> Mapping[str, Tensor]:
    """What each metric measures, (B, K) each, of photographs that are drawn in two styles by chance."""
    photograph, caricature = 2 * batch["input"] - 1, 2 * batch["target"] - 1
    count, (height, width) = len(photograph), photograph.shape[-2:]
    styles = torch.randn(2 * count, style).to(photograph)
    everything = torch.cat([photograph, photograph, caricature])
    drawing: Drawing = modules.generator(everything, styles, reconstruct=True)
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
    drawn, person = drawing.picture[:count], batch["person"]
    if looks is not None:
        found["fid"] = torch.cat([looks((drawn + 1) / 2), looks(batch["target"])], dim=1)
    if judge is None:
        return found
    generated, real, by_hand = judge.features(torch.cat([drawn, photograph, caricature]), modules).chunk(3)
    found |= {
        "rank-1": with_person(person, generated, real),
        "rank-1-hand-drawn": with_person(person, by_hand, real),
        "rank-1-photograph": with_person(person, real, real),
        "verification": with_person(person, generated, real),
    }
    if isinstance(judge, OwnDiscriminator):
        found["own-person"] = person_of(modules.discriminator(drawn)) == person
    return found
