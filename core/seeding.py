"""Seeds, and the states of all random number generators."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


def derive_seed(*parts: int | str) -> int:
    """Derive a 63-bit seed for a purpose, such as ``derive_seed(seed, "sample", epoch, index)``.

    The seed is a hash, so seeds of neighboring epochs and samples are unrelated. It is the same on every machine.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def seed_everything(seed: int) -> None:
    """Seed the global generators of torch (all devices), NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


@contextlib.contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed the global generators, and that of a GPU, within the block and restore their states at its end."""
    python, legacy = random.getstate(), np.random.get_state()
    metal = torch.mps.get_rng_state() if device is not None and device.type == "mps" else None
    cuda = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        # default_generator alone: torch.manual_seed would also reset the generators of every GPU
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        if metal is not None:
            torch.mps.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)
            if metal is not None:
                torch.mps.set_rng_state(metal)


def permutation(seed: int, length: int) -> list[int]:
    """Return a shuffled ``range(length)``."""
    return torch.randperm(length, generator=torch.Generator().manual_seed(seed)).tolist()


def random_states() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the state of every global generator, as tensors and as plain data for JSON."""
    state = np.random.get_state(legacy=False)
    assert isinstance(state, dict)
    keys = torch.from_numpy(state["state"]["key"].astype("int64"))
    tensors = {"torch": torch.get_rng_state(), "numpy": keys}
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        tensors["mps"] = torch.mps.get_rng_state()
    version, internal, next_gauss = random.getstate()
    plain = {
        "numpy": [state["bit_generator"], int(state["state"]["pos"]), int(state["has_gauss"]), float(state["gauss"])],
        "python": [version, list(internal), next_gauss],
    }
    return tensors, plain


def restore_random_states(tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
    """Restore the states that `random_states` returned; states of absent devices are ignored."""
    torch.set_rng_state(tensors["torch"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])
    if "mps" in tensors and torch.backends.mps.is_available():
        torch.mps.set_rng_state(tensors["mps"])
    kind, position, has_gauss, gauss = plain["numpy"]
    np.random.set_state((kind, tensors["numpy"].numpy().astype("uint32"), position, has_gauss, gauss))
    version, internal, next_gauss = plain["python"]
    random.setstate((version, tuple(internal), next_gauss))
