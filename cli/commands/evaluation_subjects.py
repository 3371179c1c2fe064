"""What is measured, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.exit import print_error
from restore.cli.model_ref import ModelRef
from restore.core.errors import RestoreError

if TYPE_CHECKING:
    from restore.core.dataset import ImageDataset
    from restore.core.method import Method
    from restore.core.metrics import EvaluationProtocol
    from restore.core.networks import Networks


@dataclass(frozen=True)
class Subject:
    """An opened model with the images and the protocol that it is measured with."""

    model: ModelRef
    method: Method
    networks: Networks
    images: ImageDataset
    protocol: EvaluationProtocol


class FailedImages:
    """Reports each image that cannot be read or measured once, whichever model meets it first."""

    def __init__(self, damaged: Mapping[Path, str]) -> None:
        """Report the files that were left out when the images were listed."""
        self.measuring: set[str] = set()
        self._damaged = damaged
        for message in damaged.values():
            print_error(message)

    @property
    def count(self) -> int:
        """How many images failed."""
        return len(self.measuring) + len(self._damaged)

    def add(self, name: str, error: RestoreError) -> None:
        """Count an image that could not be measured, and print why at its first error."""
        if name not in self.measuring:
            message = str(error)
            print_error(message if Path(name).name in message else f"{name}: {message}")
        self.measuring.add(name)
