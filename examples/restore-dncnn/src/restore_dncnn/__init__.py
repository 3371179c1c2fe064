"""DnCNN, deep residual learning for image denoising (Zhang et al., 2017): parts for tasks of other plugins."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, DatasetSpec, LossSpec, MetricSpec, hookimpl

HERE = "restore_dncnn"


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network: ``restore train restorer --arch dncnn/cdncnn``."""
    network, settings = f"{HERE}.network:CDnCNN", f"{HERE}.settings:NetworkSettings"
    summary = "CDnCNN: batch-normalized convolutions predict the noise of a color image."
    return [ArchitectureSpec("cdncnn", network, role="restoration", settings=settings, summary=summary)]


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """Register the data of blind denoising: ``--dataset dncnn/blind``."""
    images, settings = f"{HERE}.dataset:BlindImages", f"{HERE}.settings:BlindSettings"
    summary = "Images with Gaussian noise of an unknown level, another one for each crop."
    return [DatasetSpec("blind", images, role="restoration", settings=settings, summary=summary)]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """Register the published loss: ``--loss dncnn/residual``."""
    summary = "Half the sum of squared errors."
    return [LossSpec("residual", f"{HERE}.losses:Residual", role="pixel", summary=summary)]


@hookimpl
def restore_metrics() -> list[MetricSpec]:
    """Register a metric of detail: ``--metric dncnn/edge-psnr``."""
    metric, settings = f"{HERE}.metrics:EdgePSNR", f"{HERE}.settings:EdgeSettings"
    summary = "PSNR of the pixels on edges, which denoising blurs first."
    return [MetricSpec("edge-psnr", metric, role="image", settings=settings, summary=summary)]
