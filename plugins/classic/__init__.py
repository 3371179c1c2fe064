"""Classical methods that everything else is measured against; nothing to train."""

from __future__ import annotations

from restore.registry import TaskSpec, hookimpl

_ENLARGING = {
    "nearest": ("Nearest", "Enlarge by the nearest pixel."),
    "bilinear": ("Bilinear", "Enlarge by linear interpolation."),
    "bicubic": ("Bicubic", "Enlarge by cubic convolution, as MATLAB does: the published tables' bicubic."),
    "bicubic-antialias": ("BicubicAntialias", "Enlarge by cubic convolution, as torchvision and Pillow do."),
    "lanczos": ("Lanczos", "Enlarge by a windowed sinc."),
    "fourier": ("Fourier", "Enlarge by continuing the picture's spectrum with zeros."),
}

_FILLING = {
    "mean": ("Mean", "Fill holes with the mean colour of what is known."),
    "nearest-known": ("NearestKnown", "Fill holes with the nearest known pixel."),
    "smooth": ("Smooth", "Fill holes with a stretched thin plate, nearly: as smooth as biharmonic, and fast."),
    "biharmonic": ("Biharmonic", "Fill holes with the smoothest continuation of what is around them."),
}


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Methods without weights: used by their names."""
    settings, masks = "restore.plugins.classic.settings", "restore.plugins.common.masks.settings"
    return [
        *(
            TaskSpec(
                name,
                f"restore.plugins.classic.upscaling:{method}",
                settings=f"{settings}:EnlargingSettings",
                predict=f"{settings}:EnlargingPredict",
                evaluate=f"{settings}:EnlargingEvaluate",
                trains=False,
                summary=summary,
            )
            for name, (method, summary) in _ENLARGING.items()
        ),
        *(
            TaskSpec(
                name,
                f"restore.plugins.classic.inpainting:{method}",
                settings=f"{settings}:FillingSettings",
                predict=f"{masks}:FillingPredict",
                evaluate=f"{masks}:FillingEvaluate",
                trains=False,
                summary=summary,
            )
            for name, (method, summary) in _FILLING.items()
        ),
        TaskSpec(
            "poisson",
            "restore.plugins.classic.inpainting:Poisson",
            settings=f"{settings}:BlendingSettings",
            predict=f"{settings}:BlendingPredict",
            trains=False,
            summary="Blend a patch into a picture without a seam.",
        ),
    ]
