"""Start a run from trained weights, or from some of their tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from torch import Tensor, nn

from restore.core.errors import UsageError, WeightsError
from restore.core.hashing import hash_file
from restore.core.runs import checkpoints
from restore.core.weights.files import read_tensors
from restore.core.weights.header import find_weights, read_header
from restore.core.weights.tensors import differences, tensors_of


@dataclass(frozen=True)
class WarmStart:
    """Trained networks that a run starts from."""

    path: Path
    """Weights file or checkpoint folder."""
    task: str
    """Full name of the task that the networks were trained for."""
    sha256: str
    """Hash of the weights file, or of the manifest of the checkpoint."""
    tensors: Mapping[str, Tensor]
    """Tensors by ``<network>.<parameter>``."""

    def load(self, networks: Mapping[str, nn.Module], init_filter: Sequence[str]) -> str:
        """Load the tensors into networks and return a summary for the user.

        Args:
            networks: the networks of the run.
            init_filter: patterns of tensor names, with ``*`` as a wildcard; empty: load all tensors, and every network
                found in the file must fit completely.

        Raises:
            UsageError: a pattern matches no tensor.
            WeightsError: tensors or networks do not fit; the message lists all of them.
        """
        owners = list(dict.fromkeys(name.partition(".")[0] for name in self.tensors))
        for pattern in init_filter:
            if not any(fnmatchcase(name, pattern) for name in self.tensors):
                held = ", ".join(f"{owner}.*" for owner in owners)
                raise UsageError(f"--init-filter {pattern}: no tensor in {self.path} matches; it contains {held}")
        chosen = {
            name: tensor
            for name, tensor in self.tensors.items()
            if not init_filter or any(fnmatchcase(name, pattern) for pattern in init_filter)
        }
        parts = {owner: part for owner in owners if (part := tensors_of(owner, chosen))}
        touched = {owner: networks[owner] for owner in parts if owner in networks}
        known = {name: tensor for name, tensor in chosen.items() if name.partition(".")[0] in touched}
        wrong = [
            f"unexpected: {owner}.* (this run trains {' and '.join(networks)})"
            for owner in parts
            if owner not in networks
        ]
        wrong += [line for line in differences(touched, known) if not (init_filter and line.startswith("missing"))]
        if wrong:
            lines = "\n".join(f"    {line}" for line in wrong)
            raise WeightsError(
                f"--init-from {self.path}: trained as {self.task}, does not fit the networks of this run:\n{lines}\n"
                "Select the tensors that fit with --init-filter, such as --init-filter 'generator.*'"
            )
        for owner, network in touched.items():
            network.load_state_dict(parts[owner], strict=False)
        counts = [f"{len(parts[owner])} of {len(n.state_dict())} tensors of {owner}" for owner, n in touched.items()]
        return f"{', '.join(counts)}, from {self.path} ({self.task})"


def read_warm_start(path: Path, notice: Callable[[str], None]) -> WarmStart:
    """Read the networks to start from.

    Only checkpoints contain discriminators. If a checkpoint contains averaged weights, those are used.

    Args:
        path: a weights file, a run folder (its best weights), a checkpoint, or a folder of checkpoints (the newest).
        notice: called with a message about each damaged checkpoint that is skipped.

    Raises:
        UsageError: ``path`` is none of these.
        WeightsError: the weights file is damaged, or is a checkpoint of another program; the message then contains the
            command that imports it.
        CheckpointError: the checkpoint is damaged.
    """
    if (path / checkpoints.MANIFEST).is_file():
        return _from_checkpoint(path, checkpoints.load(path))
    if any(path.glob(f"{checkpoints.PREFIX}*")):
        return _from_checkpoint(*checkpoints.load_newest(path, damaged=notice))
    file = find_weights(path)
    header = read_header(file)
    return WarmStart(file, header.task, hash_file(file), read_tensors(file, header))


def _from_checkpoint(path: Path, checkpoint: checkpoints.Checkpoint) -> WarmStart:
    tensors = {**checkpoint.tensors["networks"], **checkpoint.tensors.get("ema", {})}
    return WarmStart(path, checkpoint.state["task"], hash_file(path / checkpoints.MANIFEST), tensors)
