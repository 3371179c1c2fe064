"""``--backend``: networks that another program than torch computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from restore.cli.cache import cache_folder, writable_cache
from restore.core.errors import NotExportable, UsageError

if TYPE_CHECKING:
    from restore.cli.model_ref import ModelRef
    from restore.core.method import Method
    from restore.core.networks import Networks

Backend = Literal["torch", "onnx", "openvino"]


def check_backend(backend: Backend, device: str, precision: str = "fp32") -> None:
    """Refuse what does not go with a backend, before anything is opened.

    Raises UsageError if a package is missing, or another device than the CPU or another precision than fp32 is asked
    for.
    """
    if backend == "torch":
        return
    from restore.core.graphs.formats import require_packages

    require_packages(backend, f"--backend {backend}")
    if device not in ("auto", "cpu"):
        raise UsageError(f"--backend {backend} computes on the CPU; leave --device {device} out")
    if precision not in ("auto", "fp32"):
        raise UsageError(f"--backend {backend} computes in fp32; leave --precision {precision} out")


def open_on_backend(
    model: ModelRef, method: Method, networks: Networks, backend: Backend, say: Callable[[str], None]
) -> Networks:
    """Return the networks of a model as a backend computes them; those of classical methods are unchanged.

    ``say`` is given a line before a graph is made, which takes a while.

    Raises NotExportable, which names the model, if that is not possible.
    """
    if backend == "torch" or model.weights is None:
        return networks
    from restore.core.graphs.runtime import use_backend
    from restore.core.inference.folding import fold_batch_norm

    folder = writable_cache(cache_folder("graphs"), f"the graph of {model.name} is made again each time")

    def notify(name: str) -> None:
        say(f"{model.name}: making the graph of its network {name!r} for {backend}, once")

    try:
        return use_backend(method, fold_batch_norm(networks), backend, folder, notify=notify)
    except NotExportable as error:
        raise NotExportable(f"{model.name} cannot be computed with --backend {backend}: {error}") from error
