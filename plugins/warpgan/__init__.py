"""Caricatures: textures drawn anew and faces warped by control points, with who it is kept in mind."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from restore.registry import Register, hookimpl

if TYPE_CHECKING:
    from restore.plugins.warpgan.networks.spline import ThinPlateSpline, thin_plate_spline
    from restore.plugins.warpgan.networks.warping import Warped, warp

__all__ = ["ThinPlateSpline", "Warped", "thin_plate_spline", "warp"]

_PLACE = "restore.plugins.warpgan"
_HOME = {"ThinPlateSpline": "spline", "thin_plate_spline": "spline", "Warped": "warping", "warp": "warping"}


def __getattr__(name: str) -> Any:
    """The differentiable warp, for other programs; torch is imported only then."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{_PLACE}.networks.{_HOME[name]}"), name)


@hookimpl
def restore_tasks(register: Register) -> None:
    """The family's one task."""
    register(
        "warpgan",
        f"{_PLACE}.task:WarpGAN",
        settings=f"{_PLACE}.settings:WarpGANSettings",
        predict=f"{_PLACE}.options:PredictOptions",
        evaluate=f"{_PLACE}.options:EvaluateOptions",
        imports=f"{_PLACE}.convert:CODE_BASES",
        summary="Caricatures of aligned faces (see restore data align), exaggerated at will (Shi, Deb and Jain, 2019).",
    )


@hookimpl
def restore_architectures(register: Register) -> None:
    """Its networks, for other families to use."""
    register(
        "warp-generator",
        f"{_PLACE}.networks.generator:WarpGenerator",
        summary="Redraws in a style and warps by points.",
    )
    register(
        "identity-discriminator",
        f"{_PLACE}.networks.discriminator:Discriminator",
        summary="Tells kinds of pictures and people.",
    )


@hookimpl
def restore_commands(register: Register) -> None:
    """Preparing faces, and films of one that is exaggerated more and more."""
    register(
        "data align",
        f"{_PLACE}.commands:align",
        settings=f"{_PLACE}.options:AlignSettings",
        needs="nothing",
        summary="Bring the faces of pictures to one place and size.",
    )
    register(
        "exaggerate",
        f"{_PLACE}.commands:exaggerate",
        settings=f"{_PLACE}.options:ExaggerateSettings",
        needs="weights",
        summary="Exaggerate a photograph more and more: a strip, or a film.",
    )
