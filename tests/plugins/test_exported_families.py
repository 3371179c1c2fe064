"""Every family whose prediction is one call from image (and mask) to output can be exported; the others say why not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from restore import registry
from restore.core.errors import NotExportable
from restore.core.graphs.export import export_graph
from restore.core.graphs.formats import PACKAGES, SUFFIXES
from restore.core.networks import Networks, frozen

SMALL: dict[str, tuple[str, dict[str, Any], int]] = {
    "srresnet": ("srgan", {"architecture": "srgan/srresnet", "channels": 4, "blocks": 1, "scale": 2}, 1),
    "msrresnet": ("srgan", {"architecture": "srgan/msrresnet", "channels": 4, "blocks": 1, "scale": 3}, 1),
    "rrdbnet": ("srgan", {"architecture": "srgan/rrdbnet", "channels": 4, "blocks": 1, "growth": 4, "scale": 4}, 1),
    "srvggnet": ("srgan", {"architecture": "srgan/srvggnet-compact", "channels": 4, "convolutions": 2, "scale": 2}, 1),
    "restorer": ("restorer", {"channels": 4, "depth": 3}, 1),
    "drunet": ("restorer", {"architecture": "restorer/drunet", "channels": 4, "blocks": 1, "scales": 3}, 4),
    "unet": ("unet", {"channels": 4, "depth": 2, "classes": ["a"]}, 4),
    "nested-unet": ("nested-unet", {"channels": 4, "depth": 2, "classes": ["a", "b"]}, 4),
    "spandrel": (
        "srgan",
        {"architecture": "spandrel/realesr-compact", "scale": 2, "parameters": {"num_feat": 8, "num_conv": 2}},
        1,
    ),
    "autoencoder": ("autoencoder", {"channels": 4, "depth": 2, "latent": 3}, 4),
    "vae": ("vae", {"channels": 4, "depth": 2, "latent": 3}, 4),
    "lbam": ("lbam", {"channels": 1, "prefill": "none", "levels": 3}, 8),
    "inpaint-gan": ("inpaint-gan", {"channels": 4, "depth": 3, "start": "gray"}, 8),
}
"""Task, settings of its network, and what sides must be multiples of."""


def small(task: str, model: dict[str, Any]) -> Any:
    task_type = registry.get("tasks", task)
    torch.manual_seed(0)
    return task_type(task_type.settings_type.model_validate({"model": model}).resolved())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of the packages that compute
@pytest.mark.parametrize("kind", SUFFIXES)
@pytest.mark.parametrize("name", SMALL)
def test_a_family_is_exported_as_it_predicts(name: str, kind: Any, tmp_path: Any) -> None:
    for package in (*PACKAGES[kind], *(["spandrel"] if name == "spandrel" else [])):
        pytest.importorskip(package, reason="needs an extra of restorekit")
    task_name, model, step = SMALL[name]
    task = small(task_name, model)
    networks = Networks(frozen(task.networks()))
    written = export_graph(task, networks, tmp_path / f"x{SUFFIXES[kind]}", kind, {})
    assert written.difference <= 1e-5
    assert written.metadata["multiple_of"] == step


@pytest.mark.parametrize(
    ("task", "model", "said"),
    [
        ("warpgan", {}, "a style code and an exaggeration"),
        ("lbam", {"channels": 1, "prefill": "smooth", "levels": 2}, "starts from a smooth continuation"),
        ("inpaint-gan", {"channels": 4, "depth": 2, "start": "smooth"}, "starts from a smooth continuation"),
    ],
)
def test_what_is_no_such_call_is_refused_with_the_reason(
    task: str, model: dict[str, Any], said: str, tmp_path: Any
) -> None:
    method = small(task, {**model, **({"size": 32} if task == "warpgan" else {})})
    with pytest.raises(NotExportable, match=said):
        export_graph(method, Networks(frozen(method.networks())), tmp_path / "x.pt2", "torch", {})
    assert list(tmp_path.iterdir()) == []
