"""Turn a request into work: read its form, check its images, validate its options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restore.cli.server.catalog import ServedModel
from restore.cli.server.form import COMMON_FORM, refuse_unknown
from restore.cli.server.jobs import Work
from restore.cli.server.uploads import UploadLimits, check_images, receive_upload
from restore.cli.settings.sources import Source, validate
from restore.cli.task_options import PredictRequest
from restore.core.errors import UsageError

IMAGE = "image"
"""Field of the image to process."""


def read_work(environ: Mapping[str, Any], model: ServedModel, folder: Path, limits: UploadLimits) -> Work:
    """Return what a request asks for.

    Args:
        environ: the request, whose body is a form.
        model: the model.
        folder: an empty folder, into which the files are written.
        limits: what the request may hold.

    Raises:
        HTTPException: as `receive_upload`.
        UsageError: a field is missing, unknown or wrong.
        DataError: a file is no image, or has too many pixels.
    """
    upload = receive_upload(environ, folder, limits)
    uploads = {IMAGE, *model.form.uploads()}
    refuse_unknown({*upload.texts, *upload.files}, {IMAGE, *model.form.names(), *COMMON_FORM.names()})
    if wrong := sorted(set(upload.files) - uploads):
        raise UsageError(f"{wrong[0]}: send text, not a file")
    if IMAGE not in upload.files:
        raise UsageError(f"{IMAGE}: the image to process is missing; send it as a file in this field")
    check_images(upload, limits)
    output = Source("the server", {("output",): folder})
    return Work(
        model=model,
        folder=folder,
        image=upload.files[IMAGE],
        name=upload.names[upload.files[IMAGE]],
        uploads=upload.names,
        options=validate(model.form.model, [model.form.read(upload.texts, upload.files)]),  # type: ignore[arg-type]
        request=validate(PredictRequest, [output, COMMON_FORM.read(upload.texts, upload.files)]),
    )
