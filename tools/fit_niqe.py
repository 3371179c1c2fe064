"""Fit the model of natural photographs that the metric ``niqe`` compares with.

    python tools/fit_niqe.py FOLDER

The folder has photographs and ``licenses.csv`` with the columns file, author, license and source. Each photograph is
downscaled to `LONGEST` pixels, which removes noise and the artifacts of its JPEG file. Its sharp patches count, the
sharpest `MOST` of them, so that no photograph outweighs the others: those whose contrast is above half of the largest
one. The paper (section II-C) takes three quarters; of these photographs, that leaves too few for the covariance. The
file of the model names every photograph with its hash and its license.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from restore.core.hashing import hash_file
from restore.core.images.files import read_image
from restore.core.images.pixels import luma, to_levels
from restore.core.runtime.devices import in_float64
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.quality.naturalness import MODEL
from restore.plugins.common.quality.scene_statistics import SIDE, measure_patches

LONGEST = 1280
SHARP = 0.5
MOST = 40
VERSION = 1


def read_photograph(path: Path) -> Tensor:
    """Return the luma (H, W) of a photograph, from 0 to 255, downscaled to 8-bit levels."""
    gray = in_float64(luma(read_image(path).color)[0])
    scale = LONGEST / max(gray.shape)
    return to_levels(imresize(gray, scale) if scale < 1 else gray)


def select_patches(path: Path) -> Tensor:
    """Return the features (N, 36) of the sharp patches of a photograph, the sharpest first."""
    features, contrast = measure_patches(read_photograph(path))
    usable = features.isfinite().all(1)
    features, contrast = features[usable], contrast[usable]
    order = contrast.argsort(descending=True, stable=True)
    sharp = order[contrast[order] > SHARP * contrast.max()]
    return features[sharp[:MOST]]


def main() -> None:
    """Fit and write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    with (folder / "licenses.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    torch.set_num_threads(1)
    patches, photographs = [], []
    for row in rows:
        found = select_patches(folder / row["file"])
        patches.append(found)
        photographs.append({**row, "sha256": hash_file(folder / row["file"]), "patches": len(found)})
        print(f"{len(found):3} patches of {row['file']}", flush=True)
    features = torch.cat(patches)
    about = {
        "label": f"own model {VERSION} of {len(rows)} photographs, {SIDE}x{SIDE}",
        "patches": len(features),
        "longest_side": LONGEST,
        "sharp_above": SHARP,
        "most_patches": MOST,
        "photographs": photographs,
    }
    tensors = {"mean": features.mean(0), "covariance": features.T.cov().contiguous()}
    MODEL.parent.mkdir(exist_ok=True)
    save_file(tensors, MODEL, metadata={"restore": json.dumps(about, ensure_ascii=False)})
    print(f"{MODEL}: {len(features)} patches, {MODEL.stat().st_size} bytes")


if __name__ == "__main__":
    main()
