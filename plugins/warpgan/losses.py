"""The game of WarpGAN: over patches, what kind of picture they are from; over whole pictures, whose they are.

There are three kinds of pictures and as many classes of patches; each person has a class of each kind.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CARICATURE, PHOTOGRAPH, GENERATED = range(3)
"""Kinds of pictures; classes of patches."""


def patch_loss(logits: Tensor, kinds: Tensor) -> Tensor:
    """Mean cross-entropy of patches (B, 3, h, w) of pictures of the given kinds (B,).

    Shi et al., 2019, equations 4 and 5: the discriminator is asked for the kind, the generator wants `CARICATURE`.
    """
    # not F.cross_entropy, whose sum over places has no deterministic kernel on CUDA
    asked = F.one_hot(kinds, logits.shape[1])[:, :, None, None]
    return -(logits.float().log_softmax(dim=1) * asked).sum(dim=1).mean()


def identity_loss(logits: Tensor, people: Tensor, kinds: Tensor) -> Tensor:
    """Mean cross-entropy of whole pictures (B, 3 M) of M people: class ``person + M * kind``.

    Shi et al., 2019, equations 2 and 3; the generator wants its pictures to be the `CARICATURE` of their person.
    """
    return F.cross_entropy(logits.float(), people + kinds * (logits.shape[1] // 3))


def kinds_of(kind: int, like: Tensor) -> Tensor:
    """One kind for each picture of a batch (B,), int64."""
    return torch.full((len(like),), kind, device=like.device)


def texture_error(drawn: Tensor, picture: Tensor) -> Tensor:
    """Mean absolute error (B,) of pictures (B, C, H, W) that were drawn again in their own style, in parts of white.

    Shi et al., 2019, equation 6: identity mapping, before the warp.
    """
    return (drawn - picture).abs().flatten(1).mean(1)
