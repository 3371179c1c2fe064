"""Open a model with the options of one command, ready for the first image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restore.cli.backends import open_on_backend
from restore.cli.prediction.running import Prediction, Shown
from restore.core.errors import UsageError
from restore.core.inference.folding import fold_batch_norm
from restore.core.inference.self_ensemble import add_self_ensemble
from restore.core.networks import Networks
from restore.core.runtime.precision import choose

if TYPE_CHECKING:
    import torch

    from restore.cli.model_ref import ModelRef
    from restore.cli.prediction.output_files import OutputFiles
    from restore.cli.task_options import PredictRequest
    from restore.core.settings import Settings


def open_prediction(
    model: ModelRef,
    options: Settings | None,
    request: PredictRequest,
    outputs: OutputFiles,
    bar: Shown,
    device: torch.device,
) -> Prediction:
    """Open a model with its options. Raises UsageError for options of the command that it does not have."""
    on_torch = request.backend == "torch"
    precision = choose(request.precision, device) if on_torch else "fp32"
    method, networks = model.open(predict=options)
    if isinstance(request.tile, int) and method.tiling.mode == "whole":
        raise UsageError(f"--tile {request.tile}: {model.name} needs the whole image at once; leave --tile out")
    if request.self_ensemble and not (request.compare and model.weights is None):
        method = add_self_ensemble(method)
    if on_torch:
        networks = Networks(fold_batch_norm(networks))  # once for all images
    else:
        networks = open_on_backend(model, method, networks, request.backend, bar.say)
    return Prediction(method, networks, device, precision, request, outputs, bar)
