"""Write weights for other programs: chaiNNer, ComfyUI and others that use spandrel, and BasicSR."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from torch import Tensor, nn

from restore.core.atomic import atomic_write, writable_folder
from restore.core.errors import UsageError, WeightsError
from restore.core.weights.tensors import storable, write_tensors

Format = Literal["spandrel", "basicsr"]
FORMATS: tuple[Format, ...] = get_args(Format)
"""``spandrel``: the parameters alone, .safetensors or .pth; ``basicsr``: under ``params`` in a .pth file."""

SUFFIXES: Mapping[Format, tuple[str, ...]] = {"spandrel": (".safetensors", ".pth"), "basicsr": (".pth",)}


@runtime_checkable
class Published(Protocol):
    """A network of a published architecture, which other programs know by the names of its parameters."""

    @property
    def export_formats(self) -> tuple[str, ...]:
        """The formats whose programs know the architecture."""

    def export_state(self) -> Mapping[str, Tensor]:
        """Return the parameters under the names that the other programs know."""


def export_network(networks: Mapping[str, nn.Module], output: Path, layout: Format, *, source: str) -> int:
    """Write the network of a weights file for another program, and return the number of tensors.

    Args:
        networks: the networks of a weights file.
        output: the file to write.
        layout: the format.
        source: what the networks are of, for errors.

    Raises:
        UsageError: the format has another suffix.
        WeightsError: the other program does not know such a network.
        RestoreError: the file cannot be written.
    """
    if output.suffix not in SUFFIXES[layout]:
        allowed = " or ".join(SUFFIXES[layout])
        raise UsageError(f"--output {output}: the name of a file for {layout} must end in {allowed}")
    found = [network for network in networks.values() if isinstance(network, Published)]
    if len(networks) != 1 or not found:
        raise WeightsError(
            f"{source}: its network is restore's own, which programs for the format {layout} do not know; published "
            "architectures such as srgan/rrdbnet can be exported"
        )
    if layout not in found[0].export_formats:
        known = ", ".join(found[0].export_formats) or "none"
        raise WeightsError(
            f"{source}: programs for the format {layout} do not know its architecture; possible: {known}"
        )
    state = storable(found[0].export_state())
    writable_folder(output.parent)
    with atomic_write(output) as temporary:
        if output.suffix == ".safetensors":
            write_tensors(temporary, state, {"format": "pt"})
        else:
            torch.save({"params": state} if layout == "basicsr" else state, temporary)
    return len(state)
