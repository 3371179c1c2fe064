"""Caricatures: textures drawn anew and faces warped by control points, with who it is kept in mind."""

from __future__ import annotations

from restore.registry import Register, hookimpl

_PLACE = "restore.plugins.warpgan"


@hookimpl
def restore_tasks(register: Register) -> None:
    """The family's one task."""
    register(
        "warpgan",
        f"{_PLACE}.task:WarpGAN",
        settings=f"{_PLACE}.settings:WarpGANSettings",
        predict=f"{_PLACE}.settings:PredictOptions",
        evaluate=f"{_PLACE}.settings:EvaluateOptions",
        summary="Caricatures of photographs, exaggerated as far as you like (Shi, Deb and Jain, 2019).",
    )


@hookimpl
def restore_commands(register: Register) -> None:
    """Preparing faces, and films of one that is exaggerated more and more."""
    register(
        "data align",
        f"{_PLACE}.commands:align",
        settings=f"{_PLACE}.settings:AlignSettings",
        needs="nothing",
        summary="Bring the faces of pictures to one place and size.",
    )
    register(
        "exaggerate",
        f"{_PLACE}.commands:exaggerate",
        settings=f"{_PLACE}.settings:ExaggerateSettings",
        needs="weights",
        summary="Exaggerate a photograph more and more: a strip, or a film.",
    )
