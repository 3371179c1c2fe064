"""Start a run from weights that were trained before, in whole or in part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from torch import Tensor, nn

from restore.core.errors import UsageError, WeightsError
from restore.core.hashing import hash_file
from restore.core.runs import checkpoints
from restore.core.weights.files import differences, read_tensors
from restore.core.weights.header import find_weights, read_header


@dataclass(frozen=True)
class WarmStart:
    """Trained networks that a run starts from."""

    path: Path
    """Weights file or checkpoint folder."""
    task: str
    """Full name of the task that trained them."""
    sha256: str
    """Of the weights file, or of the checkpoint's list of files and their hashes."""
    tensors: Mapping[str, Tensor]
    """By ``<network>.<parameter>``."""

    def load(self, networks: Mapping[str, nn.Module], init_filter: Sequence[str]) -> str:
        """Give networks what is held here for them, and say how much that is.

        ``init_filter`` are patterns of names in which ``*`` stands for anything. Without one a network is taken whole.
        Raises UsageError when a pattern matches nothing, WeightsError naming every tensor or network that does not fit.
        """
        owners = list(dict.fromkeys(name.partition(".")[0] for name in self.tensors))
        for pattern in init_filter:
            if not any(fnmatchcase(name, pattern) for name in self.tensors):
                held = ", ".join(f"{owner}.*" for owner in owners)
                raise UsageError(
                    f"--init-filter {pattern}: {self.path} holds no tensor of such a name; it holds {held}"
                )
        chosen = {
            name: tensor
            for name, tensor in self.tensors.items()
            if not init_filter or any(fnmatchcase(name, pattern) for pattern in init_filter)
        }
        touched = {owner: networks[owner] for owner in owners if owner in networks and _of(owner, chosen)}
        known = {name: tensor for name, tensor in chosen.items() if name.partition(".")[0] in touched}
        wrong = [
            f"unexpected: {owner}.*, for this run trains {' and '.join(networks)}"
            for owner in owners
            if owner not in networks and _of(owner, chosen)
        ]
        wrong += [line for line in differences(touched, known) if not (init_filter and line.startswith("missing"))]
        if wrong:
            lines = "\n".join(f"    {line}" for line in wrong)
            raise WeightsError(
                f"{self.path}: was trained as {self.task} and does not fit the networks of this run:\n{lines}\n"
                "Choose parts that fit, as --init-filter 'generator.*'"
            )
        for owner, network in touched.items():
            network.load_state_dict(_of(owner, chosen), strict=False)
        counts = [
            f"{len(_of(owner, chosen))} of {len(n.state_dict())} tensors of {owner}" for owner, n in touched.items()
        ]
        return f"{', '.join(counts)}, from {self.path} ({self.task})"


def _of(network: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{network}."
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def read_warm_start(path: Path, notice: Callable[[str], None]) -> WarmStart:
    """The networks of a weights file, of a run (its best), or of a checkpoint or the newest in a folder of them.

    Only checkpoints hold discriminators; of the other networks they give averaged weights where there are any.
    ``notice`` is told of damaged checkpoints that are passed over. Raises UsageError when there is nothing of the kind,
    WeightsError or CheckpointError when it is damaged, WeightsError with the line that imports it when it is foreign.
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
