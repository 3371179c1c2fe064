"""What a loss of each role must return, and a check of it on small random images or scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from restore.core.contracts import SIDES, UnfitForRole
from restore.core.dataset import Batch

ROLES = ("pixel", "perceptual", "inpainting", "segmentation", "adversarial")
"""The roles whose losses can be tried."""


def check_loss(loss: Any, role: str, name: str) -> None:
    """Call a loss once, forward and backward, and compare its terms with the contract of its role.

    Args:
        loss: the loss.
        role: one of `ROLES`.
        name: name of the loss, for errors.

    Raises:
        UnfitForRole: the loss fails, or returns something else than named scalars with a gradient.
    """
    try:
        problem = find_loss_problem(loss, role)
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError) as error:
        problem = f"it fails with {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if problem:
        raise UnfitForRole(f"{name} cannot be used as a loss of role {role}: {problem}")


@torch.enable_grad()  # whatever the caller does
def find_loss_problem(loss: Any, role: str) -> str:
    """Return what is wrong with the terms of a loss; empty if nothing is. Arguments as `check_loss`.

    An exception of the loss passes through: one of segmentation may refuse masks whose classes overlap.
    """
    drawn = torch.Generator().manual_seed(0)
    if role == "adversarial":
        real, fake = (torch.randn(2, 1, 4, 4, generator=drawn).requires_grad_() for _ in range(2))
        problem = _find_problem(loss.discriminator(real, fake), [real, fake])
        return problem or _find_problem(loss.generator(fake), [fake])
    channels = 2 if role == "segmentation" else 3
    prediction, target = (torch.rand(2, channels, *SIDES, generator=drawn) for _ in range(2))
    mask = torch.zeros(2, 1, *SIDES)
    mask[..., 8:20, 8:20] = 1
    batch: Batch = {"input": target * (1 - mask), "target": target, "mask": mask}
    if role == "segmentation":
        batch["target"] = target.round()
    return _find_problem(loss(prediction.requires_grad_(), batch), [prediction])


def _find_problem(terms: object, inputs: Sequence[Tensor]) -> str:
    """Return what is wrong with terms that should be named, finite scalars through which a gradient flows."""
    if not isinstance(terms, Mapping) or not terms:
        return f"it returns {_describe(terms)}, not a dictionary of named terms"
    for name, term in terms.items():
        if not isinstance(name, str):
            return f"the name {name!r} of a term is not a string"
        if not isinstance(term, Tensor) or term.dim():
            return f"term {name!r} is {_describe(term)}, not a scalar tensor"
        if not bool(term.isfinite()):
            return f"term {name!r} is {term.item()}"
    total = torch.stack([term.float() for term in terms.values()]).sum()
    if not total.requires_grad:
        return "no gradient flows back from its terms"
    gradients = torch.autograd.grad(total, list(inputs), allow_unused=True)
    return "" if any(gradient is not None for gradient in gradients) else "no gradient flows back to the prediction"


def _describe(value: object) -> str:
    """Return type and, of a tensor, shape of a value."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}" if value is not None else "nothing"
