"""Classical methods that everything else is measured against; nothing to train."""

from __future__ import annotations

from restore.registry import TaskSpec, hookimpl

_UPSCALING = {
    "nearest": ("Nearest", "Upscale by the nearest pixel."),
    "bilinear": ("Bilinear", "Upscale by linear interpolation."),
    "bicubic": ("Bicubic", "Upscale by cubic convolution, as MATLAB does: the published tables' bicubic."),
    "bicubic-antialias": ("BicubicAntialias", "Upscale by cubic convolution, as torchvision and Pillow do."),
    "lanczos": ("Lanczos", "Upscale by a windowed sinc."),
    "fourier": ("Fourier", "Upscale by continuing the image's spectrum with zeros."),
}

_INPAINTING = {
    "mean": ("Mean", "Fill holes with the mean color of what is known."),
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
                settings=f"{settings}:UpscalingSettings",
                predict=f"{settings}:UpscalingPredictOptions",
                evaluate=f"{settings}:UpscalingEvaluateOptions",
                trains=False,
                summary=summary,
            )
            for name, (method, summary) in _UPSCALING.items()
        ),
        *(
            TaskSpec(
                name,
                f"restore.plugins.classic.inpainting:{method}",
                settings=f"{settings}:InpaintingSettings",
                predict=f"{masks}:InpaintingPredictOptions",
                evaluate=f"{masks}:InpaintingEvaluateOptions",
                trains=False,
                summary=summary,
            )
            for name, (method, summary) in _INPAINTING.items()
        ),
        TaskSpec(
            "poisson",
            "restore.plugins.classic.inpainting:Poisson",
            settings=f"{settings}:BlendingSettings",
            predict=f"{settings}:BlendingPredictOptions",
            trains=False,
            summary="Blend a patch into an image without a seam.",
        ),
    ]
