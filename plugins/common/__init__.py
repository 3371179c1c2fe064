"""Shared by all families: sample photographs, datasets, losses and metrics."""

from __future__ import annotations

from restore.registry import CommandSpec, DatasetSpec, LossSpec, MetricSpec, ProtocolSpec, hookimpl


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """Register datasets for training and evaluation."""
    place = "restore.plugins.common"
    return [
        DatasetSpec(
            "images",
            f"{place}.images.splits:images_of",
            role="images",
            summary="The images of --data, or photographs that ship with scikit-image.",
        ),
        DatasetSpec(
            "super-resolution",
            f"{place}.super_resolution.dataset:super_resolution_pairs",
            role="super-resolution",
            summary="Images of --data, or sample photographs, made small; or pairs of --data (LR/ and HR/).",
        ),
        DatasetSpec("masks", f"{place}.masks.generators:draw_mask", role="masks", summary="Random masks of six kinds."),
        DatasetSpec(
            "mask-folder",
            f"{place}.masks.folders:MaskFolder",
            role="masks",
            summary="The masks of a folder, resized to fit.",
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """Register losses that do not depend on a family."""
    pixels, adversarial = "restore.plugins.common.losses", "restore.plugins.common.adversarial.losses"
    features = "restore.plugins.common.perceptual"
    masked = "restore.plugins.common.inpainting.losses"
    return [
        LossSpec("l1", f"{pixels}:L1", role="pixel", summary="Mean absolute error."),
        LossSpec("mse", f"{pixels}:MSE", role="pixel", summary="Mean squared error."),
        LossSpec(
            "charbonnier",
            f"{pixels}:Charbonnier",
            role="pixel",
            settings="restore.plugins.common.loss_settings:CharbonnierSettings",
            summary="Charbonnier loss: mean absolute error, smooth at zero.",
        ),
        LossSpec(
            "total-variation", f"{pixels}:TotalVariation", role="pixel", summary="Total variation of a prediction."
        ),
        LossSpec(
            "perceptual",
            f"{features}.modules:PerceptualLoss",
            role="perceptual",
            settings=f"{features}.loss_settings:PerceptualLossSettings",
            summary="Distance between VGG features.",
        ),
        LossSpec(
            "style",
            f"{features}.modules:StyleLoss",
            role="perceptual",
            settings=f"{features}.loss_settings:StyleLossSettings",
            summary="Distance between Gram matrices of VGG features.",
        ),
        LossSpec(
            "masked-l1",
            f"{masked}:MaskedL1",
            role="inpainting",
            settings="restore.plugins.common.loss_settings:MaskedSettings",
            summary="Mean absolute error with separate weights inside and outside the hole.",
        ),
        LossSpec(
            "masked-mse",
            f"{masked}:MaskedMSE",
            role="inpainting",
            settings="restore.plugins.common.loss_settings:MaskedSettings",
            summary="Mean squared error with separate weights inside and outside the hole.",
        ),
        LossSpec(
            "discounted-l1",
            f"{masked}:DiscountedL1",
            role="inpainting",
            settings="restore.plugins.common.loss_settings:DiscountSettings",
            summary="Mean absolute error inside the hole, discounted by the distance to known pixels.",
        ),
        LossSpec(
            "masked-total-variation",
            f"{masked}:MaskedTotalVariation",
            role="inpainting",
            summary="Total variation of the hole and its seam.",
        ),
        LossSpec(
            "vanilla",
            f"{adversarial}:Vanilla",
            role="adversarial",
            summary="GAN loss: cross-entropy on logits.",
        ),
        LossSpec(
            "least-squares",
            f"{adversarial}:LeastSquares",
            role="adversarial",
            summary="GAN loss: squared distance to the labels.",
        ),
        LossSpec("hinge", f"{adversarial}:Hinge", role="adversarial", summary="GAN loss: hinge."),
        LossSpec(
            "wasserstein",
            f"{adversarial}:Wasserstein",
            role="adversarial",
            summary="GAN loss: Wasserstein with gradient penalty.",
        ),
    ]


@hookimpl
def restore_metrics() -> list[MetricSpec]:
    """Register image metrics."""
    place = "restore.plugins.common.metrics"
    masked = "restore.plugins.common.inpainting.metrics"
    quality, learned = "restore.plugins.common.quality", "restore.plugins.common.learned"
    settings = "restore.plugins.common.metric_settings:ComparisonSettings"
    border = "restore.plugins.common.metric_settings:BorderSettings"
    return [
        MetricSpec(
            "masked-psnr",
            f"{masked}:MaskedPSNR",
            role="inpainting",
            summary="Peak signal-to-noise ratio inside the hole, per image.",
        ),
        MetricSpec(
            "masked-l1",
            f"{masked}:MaskedL1",
            role="inpainting",
            summary="Mean absolute error inside the hole, per image.",
        ),
        MetricSpec(
            "psnr",
            f"{place}:build_psnr",
            role="image",
            settings=settings,
            summary="Peak signal-to-noise ratio in dB, per image.",
        ),
        MetricSpec(
            "ssim",
            f"{place}:build_ssim",
            role="image",
            settings=settings,
            summary="Structural similarity over the valid region, per image.",
        ),
        MetricSpec(
            "ms-ssim",
            f"{quality}.multiscale:build_ms_ssim",
            role="image",
            settings=settings,
            summary="Structural similarity at five scales (Wang et al., 2003).",
        ),
        MetricSpec(
            "gmsd",
            f"{quality}.gradients:GMSD",
            role="image",
            settings=border,
            summary="Deviation of the similarity of gradients; lower is better (Xue et al., 2014).",
        ),
        MetricSpec(
            "haarpsi",
            f"{quality}.haar:HaarPSI",
            role="image",
            settings=border,
            summary="Perceptual similarity of Haar wavelet coefficients (Reisenhofer et al., 2018).",
        ),
        MetricSpec(
            "texture",
            f"{quality}.texture:TextureSimilarity",
            role="image",
            settings=border,
            summary="Similarity of local texture, wherever in a window of 8x8 pixels it lies.",
        ),
        MetricSpec(
            "lsd",
            f"{quality}.spectrum:LogSpectralDistance",
            role="image",
            settings=border,
            summary="Log-spectral distance: is detail as strong as in the target, octave by octave? Lower is better.",
        ),
        MetricSpec(
            "niqe",
            f"{quality}.naturalness:NIQE",
            role="image",
            settings=border,
            summary="Distance from statistics of natural photographs, without a target; own model. Lower is better.",
        ),
        MetricSpec(
            "l1",
            f"{quality}.pixels:build_l1",
            role="image",
            settings=settings,
            summary="Mean absolute error of the whole image.",
        ),
        MetricSpec(
            "l2",
            f"{quality}.pixels:build_l2",
            role="image",
            settings=settings,
            summary="Mean squared error of the whole image.",
        ),
        MetricSpec(
            "tv-error",
            f"{quality}.pixels:build_total_variation",
            role="image",
            settings=settings,
            summary="Difference between the total variations of output and target.",
        ),
        MetricSpec(
            "lpips",
            f"{learned}.lpips:build_lpips",
            role="image",
            fetches=True,
            settings=f"{learned}.settings:LPIPSSettings",
            summary="Learned perceptual image patch similarity (Zhang et al., 2018); lower is better. Needs weights.",
        ),
        MetricSpec(
            "dists",
            f"{learned}.dists:build_dists",
            role="image",
            fetches=True,
            settings=f"{learned}.settings:DISTSSettings",
            summary="Deep image structure and texture similarity (Ding et al., 2020); lower is better. Needs weights.",
        ),
        *(
            MetricSpec(
                name,
                f"{learned}.inception:build_{name.replace('-', '_')}",
                role="image",
                fetches=True,
                settings=f"{learned}.settings:PublishedWeights",
                summary=f"{summary} Needs weights.",
            )
            for name, summary in {
                "fid": "Fréchet distance of Inception features (Heusel et al., 2017); lower is better.",
                "kid": "Kernel distance of Inception features (Binkowski et al., 2018); lower is better.",
                "p-ids": "How often an output looks more real than its target to a classifier (Zhao et al., 2021).",
                "u-ids": "How often a classifier takes outputs and targets for the other (Zhao et al., 2021).",
            }.items()
        ),
        MetricSpec(
            "lr-psnr",
            f"{quality}.consistency:LowResolutionPSNR",
            role="super-resolution",
            summary="PSNR between the input and the output made small again.",
        ),
    ]


@hookimpl
def restore_protocols() -> list[ProtocolSpec]:
    """Register the tables of super-resolution and inpainting."""
    pairs = "restore.plugins.common.super_resolution.protocols"
    inpainting = "restore.plugins.common.inpainting.metrics"
    return [
        ProtocolSpec(
            "y8-border",
            f"{pairs}:y8_border",
            role="image",
            summary="PSNR and SSIM of the luma, rounded to 8 bits, without a border of the scale: the classic tables.",
        ),
        ProtocolSpec(
            "y-border",
            f"{pairs}:y_border",
            role="image",
            summary="The same without rounding the luma, as in papers since RCAN.",
        ),
        ProtocolSpec(
            "rgb-border",
            f"{pairs}:rgb_border",
            role="image",
            summary="PSNR and SSIM of 8-bit RGB without a border of the scale, as BasicSR and MMagic report.",
        ),
        ProtocolSpec("rgb", f"{pairs}:rgb", role="image", summary="PSNR and SSIM of the image as it is."),
        ProtocolSpec(
            "inpainting",
            f"{inpainting}:build_whole_set",
            role="inpainting",
            summary="PSNR and mean absolute error inside the hole; PSNR and SSIM of the whole 8-bit image.",
        ),
        ProtocolSpec(
            "buckets",
            f"{inpainting}:build_by_coverage",
            role="inpainting",
            summary="The metrics of 'inpainting' for each range of coverage, as in papers.",
        ),
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """Register the commands that check and prepare data."""
    place, pairs = "restore.plugins.common.images", "restore.plugins.common.super_resolution"
    return [
        CommandSpec(
            "data prepare",
            f"{place}.prepare:prepare",
            settings=f"{place}.prepare_settings:PrepareSettings",
            needs="nothing",
            summary="Cut photographs into sub-images to train on.",
        ),
        CommandSpec(
            "degrade",
            f"{pairs}.degrade:degrade",
            settings=f"{pairs}.degrade_settings:DegradeSettings",
            needs="nothing",
            summary="Write pairs of degraded and good images to train and measure on.",
        ),
        CommandSpec(
            "data check",
            "restore.plugins.common.data_check.command:check",
            settings="restore.plugins.common.data_check.settings:CheckSettings",
            needs="nothing",
            summary="Find out what is wrong with a folder of data before you train on it.",
        ),
    ]
