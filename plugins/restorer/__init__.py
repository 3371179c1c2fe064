"""Restoration at the size of the input: any network that maps images to images, on any pairs; denoising, JPEG."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, DatasetSpec, RecipeSpec, TaskSpec, WeightsSpec, hookimpl

HOME = "restore.plugins.restorer"


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register the task, and the classical methods that it is compared with."""
    evaluate = f"{HOME}.settings:RestorerEvaluateOptions"
    return [
        TaskSpec(
            "restorer",
            f"{HOME}.task:Restorer",
            settings=f"{HOME}.settings:RestorerSettings",
            evaluate=evaluate,
            imports=f"{HOME}.convert:CONVERTERS",
            summary="Image restoration at scale 1 with any network on any pairs. Sample: denoising, small DRUNet.",
        ),
        TaskSpec(
            "non-local-means",
            f"{HOME}.classical:NonLocalMeans",
            settings=f"{HOME}.settings:NonLocalMeansSettings",
            predict=f"{HOME}.settings:NonLocalMeansOptions",
            evaluate=evaluate,
            trains=False,
            summary="Non-local means: the classical baseline for denoising (Buades et al., 2005).",
        ),
        TaskSpec(
            "identity",
            f"{HOME}.classical:Identity",
            settings=f"{HOME}.settings:IdentitySettings",
            evaluate=evaluate,
            trains=False,
            summary="The input as it is: what restoration starts from.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the default network."""
    return [
        ArchitectureSpec(
            "dncnn",
            f"{HOME}.network:DnCNN",
            role="restoration",
            settings=f"{HOME}.own_settings:DnCNNSettings",
            summary="DnCNN: predicts the noise and subtracts it (Zhang et al., 2017).",
        ),
        ArchitectureSpec(
            "drunet",
            f"{HOME}.drunet:DRUNet",
            role="restoration",
            settings=f"{HOME}.own_settings:DRUNetSettings",
            summary="DRUNet: a U-Net of residual blocks without biases (Zhang et al., 2021).",
        ),
    ]


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """Register the default dataset."""
    return [
        DatasetSpec(
            "noisy",
            f"{HOME}.dataset:noisy_images",
            role="restoration",
            settings=f"{HOME}.own_settings:NoisySettings",
            summary="Images of --data, or sample photographs, with Gaussian noise, JPEG artifacts or both.",
        ),
        DatasetSpec(
            "degraded",
            f"{HOME}.dataset:build_degraded",
            role="restoration",
            settings=f"{HOME}.own_settings:DegradedSettings",
            summary="Images of --data, or sample photographs, with blur, resizing, noise and compression of a preset.",
        ),
        DatasetSpec(
            "pairs",
            f"{HOME}.dataset:build_pairs",
            role="restoration",
            summary="Degraded and clean images of --data: inputs/ and targets/, paired by name.",
        ),
    ]


@hookimpl
def restore_weights() -> list[WeightsSpec]:
    """Register the weights that ship."""
    return [
        WeightsSpec(
            "restore-photo",
            f"{HOME}.weights:RESTORE_PHOTO",
            summary="Photographs at their own size, without JPEG artifacts and noise; a small DRUNet.",
        )
    ]


@hookimpl
def restore_recipes() -> list[RecipeSpec]:
    """Register the recipe of the weights that ship."""
    summary = "The weights restore-photo: JPEG artifacts and noise removed, at the size of the input."
    return [RecipeSpec("restore-photo", "restore.recipes:RESTORE_PHOTO", task="restorer/restorer", summary=summary)]
