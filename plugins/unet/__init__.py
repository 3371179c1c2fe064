"""Segmentation with U-Net, UNet++ and DeepLab: masks, probability maps and overlays."""

from __future__ import annotations

from restore.registry import (
    ArchitectureSpec,
    CommandSpec,
    DatasetSpec,
    LossSpec,
    MetricSpec,
    ProtocolSpec,
    RecipeSpec,
    TaskSpec,
    WeightsSpec,
    hookimpl,
)

HOME = "restore.plugins.unet"


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register three networks, and the threshold they are compared with."""
    predict, evaluate = f"{HOME}.options:SegmentationPredictOptions", f"{HOME}.options:SegmentationEvaluateOptions"
    return [
        TaskSpec(
            "unet",
            f"{HOME}.task:UNetSegmentation",
            settings=f"{HOME}.settings:UNetSettings",
            imports=f"{HOME}.convert:CONVERTERS",
            summary="U-Net segmentation (Ronneberger et al., 2015). Sample: synthetic nuclei.",
            predict=predict,
            evaluate=evaluate,
        ),
        TaskSpec(
            "nested-unet",
            f"{HOME}.task:NestedUNetSegmentation",
            settings=f"{HOME}.settings:NestedUNetSettings",
            imports=f"{HOME}.convert:CONVERTERS",
            summary="UNet++ with optional deep supervision (Zhou et al., 2018). Sample: synthetic nuclei.",
            predict=predict,
            evaluate=evaluate,
        ),
        TaskSpec(
            "deeplab",
            f"{HOME}.task:DeepLabSegmentation",
            settings=f"{HOME}.settings:DeepLabSettings",
            summary="DeepLabV3 and V3+ on torchvision backbones (Chen et al., 2018). Sample: synthetic nuclei.",
            predict=predict,
            evaluate=evaluate,
        ),
        TaskSpec(
            "otsu",
            f"{HOME}.otsu:Otsu",
            settings=f"{HOME}.settings:SegmentationSettings",
            trains=False,
            summary="Otsu's threshold: the classical baseline for segmentation (Otsu, 1979).",
            predict=f"{HOME}.options:OutputOptions",
            evaluate=evaluate,
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register networks that return one logit map per class."""
    return [
        ArchitectureSpec(
            "unet",
            f"{HOME}.networks.unet:UNet",
            role="segmentation",
            settings=f"{HOME}.network_settings:UNetNetwork",
            summary="U-Net.",
        ),
        ArchitectureSpec(
            "nested-unet",
            f"{HOME}.networks.unet:NestedUNet",
            role="segmentation",
            settings=f"{HOME}.network_settings:NestedUNetNetwork",
            summary="UNet++; with deep supervision it can be pruned.",
        ),
        ArchitectureSpec(
            "deeplab-v3",
            f"{HOME}.networks.deeplab:DeepLabV3",
            role="segmentation",
            settings=f"{HOME}.network_settings:DeepLabNetwork",
            summary="DeepLabV3: a backbone with an atrous spatial pyramid.",
        ),
        ArchitectureSpec(
            "deeplab-v3-plus",
            f"{HOME}.networks.deeplab:DeepLabV3Plus",
            role="segmentation",
            settings=f"{HOME}.network_settings:DeepLabNetwork",
            summary="DeepLabV3+: DeepLabV3 with a decoder.",
        ),
    ]


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """Register datasets of images with masks."""
    return [
        DatasetSpec(
            "segments",
            f"{HOME}.data.named:build_segments",
            role="segmentation",
            summary="Images and masks of --data, in four layouts, or synthetic nuclei with exact masks.",
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """Register losses between logits and masks."""
    return [
        LossSpec("bce", f"{HOME}.losses:bce", role="segmentation", summary="Binary cross-entropy."),
        LossSpec("dice", f"{HOME}.losses:dice", role="segmentation", summary="Soft Dice."),
        LossSpec(
            "bce-dice",
            f"{HOME}.losses:bce_dice",
            role="segmentation",
            summary="Binary cross-entropy (weight 0.5) plus soft Dice.",
        ),
        LossSpec(
            "lovasz-hinge",
            f"{HOME}.losses:lovasz_hinge",
            role="segmentation",
            summary="Lovász hinge, one class against the rest.",
        ),
        LossSpec(
            "lovasz-softmax",
            f"{HOME}.losses:lovasz_softmax",
            role="segmentation",
            summary="Lovász-softmax over the classes present.",
        ),
        LossSpec(
            "focal",
            f"{HOME}.losses:focal",
            role="segmentation",
            settings=f"{HOME}.loss_settings:FocalSettings",
            summary="Focal loss.",
        ),
        LossSpec(
            "cross-entropy",
            f"{HOME}.losses:cross_entropy",
            role="segmentation",
            summary="Cross-entropy for class-index masks.",
        ),
        LossSpec(
            "cross-entropy-dice",
            f"{HOME}.losses:cross_entropy_dice",
            role="segmentation",
            summary="Cross-entropy plus soft Dice.",
        ),
    ]


@hookimpl
def restore_metrics() -> list[MetricSpec]:
    """Register metrics of overlaps and boundaries."""
    return [
        MetricSpec(
            "overlap",
            f"{HOME}.metrics:build_overlap",
            role="segmentation",
            settings=f"{HOME}.options:OverlapSettings",
            summary="IoU or Dice, pooled over the set, per image or per batch.",
        ),
        MetricSpec(
            "boundary-iou",
            f"{HOME}.boundaries:build_boundary_iou",
            role="segmentation",
            settings=f"{HOME}.options:BoundarySettings",
            summary="IoU of the pixels along the boundaries (Cheng et al., 2021).",
        ),
        MetricSpec(
            "hausdorff95",
            f"{HOME}.boundaries:build_hausdorff",
            role="segmentation",
            settings=f"{HOME}.options:ThresholdSettings",
            summary="95th percentile of the distances between boundaries, in pixels; lower is better.",
        ),
    ]


@hookimpl
def restore_protocols() -> list[ProtocolSpec]:
    """Register the protocol of this family."""
    return [
        ProtocolSpec(
            "overlap",
            f"{HOME}.metrics:build_protocol",
            role="segmentation",
            summary="IoU and Dice over the set, per image and per class.",
        )
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """Register commands that use trained weights."""
    return [
        CommandSpec(
            "cases",
            f"{HOME}.cases:write_cases",
            settings=f"{HOME}.options:CasesSettings",
            needs="weights",
            summary="Write an HTML page with the worst and the best segmented images.",
        ),
        CommandSpec(
            "levels",
            f"{HOME}.levels:compare_levels",
            settings=f"{HOME}.options:LevelsSettings",
            needs="weights",
            weights_of=("nested-unet",),
            summary="Measure cost and quality of each pruned level of a UNet++.",
        ),
    ]


@hookimpl
def restore_weights() -> list[WeightsSpec]:
    """Register the weights that ship."""
    return [
        WeightsSpec(
            "nuclei",
            "restore.plugins.unet.weights:NUCLEI",
            summary="Nuclei in microscope images; a UNet++ trained on those of the Data Science Bowl 2018.",
        )
    ]


@hookimpl
def restore_recipes() -> list[RecipeSpec]:
    """Register the recipe of the weights that ship."""
    summary = "The weights nuclei: a UNet++ on the nuclei of the Data Science Bowl 2018."
    return [RecipeSpec("nuclei", "restore.recipes:NUCLEI", task="unet/nested-unet", summary=summary)]
