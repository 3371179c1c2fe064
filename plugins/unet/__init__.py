"""Segmentation by U-Net, UNet++ and DeepLab: masks, probability maps and overlays."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, CommandSpec, DatasetSpec, LossSpec, MetricSpec, TaskSpec, hookimpl

HOME = "restore.plugins.unet"


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Three networks, and the threshold that they are compared with."""
    predict, evaluate = f"{HOME}.options:SegmentationPredictOptions", f"{HOME}.options:SegmentationEvaluateOptions"
    return [
        TaskSpec(
            "unet",
            f"{HOME}.task:UNetSegmentation",
            settings=f"{HOME}.settings:UNetSettings",
            imports=f"{HOME}.convert:CONVERTERS",
            summary="U-Net: regions of images by learned masks (Ronneberger et al., 2015). Sample: drawn nuclei.",
            predict=predict,
            evaluate=evaluate,
        ),
        TaskSpec(
            "nested-unet",
            f"{HOME}.task:NestedUNetSegmentation",
            settings=f"{HOME}.settings:NestedUNetSettings",
            imports=f"{HOME}.convert:CONVERTERS",
            summary="UNet++, with and without deep supervision (Zhou et al., 2018). Sample: drawn nuclei.",
            predict=predict,
            evaluate=evaluate,
        ),
        TaskSpec(
            "deeplab",
            f"{HOME}.task:DeepLabSegmentation",
            settings=f"{HOME}.settings:DeepLabSettings",
            summary="DeepLabV3 and V3+ on torchvision's networks (Chen et al., 2018). Sample: drawn nuclei.",
            predict=predict,
            evaluate=evaluate,
        ),
        TaskSpec(
            "otsu",
            f"{HOME}.otsu:Otsu",
            settings=f"{HOME}.settings:SegmentationSettings",
            trains=False,
            summary="Otsu's threshold: what segmentation is worth without learning (Otsu, 1979).",
            predict=f"{HOME}.options:OutputOptions",
            evaluate=evaluate,
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Networks that give logits for each class."""
    return [
        ArchitectureSpec("unet", f"{HOME}.networks.unet:UNet", role="segmentation", summary="U-Net."),
        ArchitectureSpec(
            "nested-unet",
            f"{HOME}.networks.unet:NestedUNet",
            role="segmentation",
            summary="UNet++, prunable with deep supervision.",
        ),
        ArchitectureSpec(
            "deeplab-v3",
            f"{HOME}.networks.deeplab:DeepLabV3",
            role="segmentation",
            summary="DeepLabV3: an atrous pyramid on a backbone.",
        ),
        ArchitectureSpec(
            "deeplab-v3-plus",
            f"{HOME}.networks.deeplab:DeepLabV3Plus",
            role="segmentation",
            summary="DeepLabV3+: V3 with a decoder.",
        ),
    ]


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """Images with masks."""
    return [
        DatasetSpec(
            "segments",
            f"{HOME}.data.splits:read_source",
            role="segmentation",
            summary="Images and masks of a folder, in four layouts.",
        ),
        DatasetSpec(
            "nuclei", f"{HOME}.data.dataset:Drawings", role="segmentation", summary="Drawn nuclei with exact masks."
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """Losses between logits and masks."""
    return [
        LossSpec("bce", f"{HOME}.losses:bce", role="segmentation", summary="Binary cross-entropy."),
        LossSpec("dice", f"{HOME}.losses:dice", role="segmentation", summary="Soft Dice."),
        LossSpec(
            "bce-dice",
            f"{HOME}.losses:bce_dice",
            role="segmentation",
            summary="Half the binary cross-entropy, and soft Dice.",
        ),
        LossSpec(
            "lovasz-hinge",
            f"{HOME}.losses:lovasz_hinge",
            role="segmentation",
            summary="Lovász hinge, each class against the others.",
        ),
        LossSpec(
            "lovasz-softmax",
            f"{HOME}.losses:lovasz_softmax",
            role="segmentation",
            summary="Lovász-softmax over the classes that occur.",
        ),
        LossSpec("focal", f"{HOME}.losses:focal", role="segmentation", summary="Focal loss."),
        LossSpec(
            "cross-entropy",
            f"{HOME}.losses:cross_entropy",
            role="segmentation",
            summary="Cross-entropy, for class numbers.",
        ),
        LossSpec(
            "cross-entropy-dice",
            f"{HOME}.losses:cross_entropy_dice",
            role="segmentation",
            summary="Cross-entropy and soft Dice.",
        ),
    ]


@hookimpl
def restore_metrics() -> list[MetricSpec]:
    """Overlap of regions."""
    return [
        MetricSpec(
            "overlap",
            f"{HOME}.metrics:Overlap",
            role="segmentation",
            summary="IoU or Dice over the set, per image, or per batch.",
        ),
        MetricSpec(
            "best-threshold",
            f"{HOME}.metrics:BestThreshold",
            role="segmentation",
            summary="The threshold with the highest IoU.",
        ),
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """What else can be done with trained weights."""
    return [
        CommandSpec(
            "cases",
            f"{HOME}.commands:write_cases",
            settings=f"{HOME}.options:CasesSettings",
            needs="weights",
            summary="A page of the worst and the best segmented images.",
        ),
        CommandSpec(
            "levels",
            f"{HOME}.commands:compare_levels",
            settings=f"{HOME}.options:LevelsSettings",
            needs="weights",
            weights_of=("nested-unet",),
            summary="What each pruned level of a UNet++ costs and gives.",
        ),
    ]
