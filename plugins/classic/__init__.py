"""Classical baselines for super-resolution, inpainting and blending: no training needed."""

from __future__ import annotations

from restore.registry import TaskSpec, hookimpl

_UPSCALING = {
    "nearest": ("Nearest", "Nearest-neighbor upscaling."),
    "bilinear": ("Bilinear", "Bilinear upscaling."),
    "bicubic": ("Bicubic", "Bicubic upscaling as in MATLAB (a = -0.5): the baseline of published tables."),
    "bicubic-antialias": ("BicubicAntialias", "Bicubic upscaling with antialiasing, as in torchvision and Pillow."),
    "lanczos": ("Lanczos", "Lanczos upscaling (windowed sinc)."),
    "fourier": ("Fourier", "Fourier upscaling: pads the spectrum with zeros."),
}

_INPAINTING = {
    "mean": ("Mean", "Fill holes with the mean color of the known pixels."),
    "nearest-known": ("NearestKnown", "Fill each hole pixel with the nearest known pixel."),
    "smooth": ("Smooth", "Fill holes with an approximate thin plate under tension: as smooth as biharmonic, but fast."),
    "biharmonic": ("Biharmonic", "Fill holes with the solution of the biharmonic equation."),
}


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register methods that have no weights and are used by name."""
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
            summary="Poisson blending: paste a patch into an image without a visible seam.",
        ),
    ]
