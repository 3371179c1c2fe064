"""pix2pix, image-to-image translation with conditional adversarial networks (Isola et al., 2017)."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl

SUMMARY = "pix2pix: learns a translation of images from pairs, against a PatchGAN (Isola et al., 2017)."


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train pix2pix``."""
    settings = "restore_pix2pix.settings:Pix2PixSettings"
    return [TaskSpec("pix2pix", "restore_pix2pix.task:Pix2Pix", settings=settings, summary=SUMMARY)]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the generator: ``restore train restorer --arch pix2pix/u-net``."""
    network, settings = "restore_pix2pix.networks:UNetGenerator", "restore_pix2pix.settings:NetworkSettings"
    return [ArchitectureSpec("u-net", network, role="restoration", settings=settings, summary="Generator of pix2pix.")]
