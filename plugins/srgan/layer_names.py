"""Layer names of published generators and discriminators, and their names here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

Rules = Sequence[tuple[str, str]]
"""Pairs of a pattern for a whole layer name and its name here; the first match counts."""

_BLOCK = ("conv1", "norm1", "activation", "conv2", "norm2")
_STAGES = range(3)
_UPSCALE = ("conv", "shuffle", "activation")
_TWTYGQYY_BLOCK = {"conv1": "conv1", "bn1": "norm1", "conv2": "conv2", "bn2": "norm2"}

ARTICLE: Rules = (
    (r"convolutional_block1\.0", "first"),
    (r"convolutional_block1\.1", "activation"),
    *((rf"res_trunk\.(\d+)\.rc_block\.{place}", rf"body.\1.{name}") for place, name in enumerate(_BLOCK)),
    (r"convolutional_block2\.0", "fusion"),
    (r"convolutional_block2\.1", "norm"),
    *(
        (rf"upsampling\.{3 * stage + place}", f"upscale.{stage}.{name}")
        for stage in _STAGES
        for place, name in enumerate(_UPSCALE)
    ),
    (r"convolutional_block3", "last"),
)
"""SRResNet in the article's listing, which upscales in one list of layers."""

LORNATANG: Rules = (
    (r"conv(?:_block)?1\.0", "first"),
    (r"conv(?:_block)?1\.1", "activation"),
    *((rf"trunk\.(\d+)\.rcb\.{place}", rf"body.\1.{name}") for place, name in enumerate(_BLOCK)),
    (r"conv(?:_block)?2\.0", "fusion"),
    (r"conv(?:_block)?2\.1", "norm"),
    *((rf"upsampling\.(\d+)\.upsample_block\.{place}", rf"upscale.\1.{name}") for place, name in enumerate(_UPSCALE)),
    (r"conv(?:_block)?3", "last"),
)
"""SRResNet of Lornatang/SRGAN-PyTorch (Apache-2.0, commit 8842030e; in 2022 its layers were ``conv_block1`` to 3)."""

SGRVINOD: Rules = (
    (r"conv_block1\.conv_block\.0", "first"),
    (r"conv_block1\.conv_block\.1", "activation"),
    *(
        (rf"residual_blocks\.(\d+)\.conv_block{place // 3 + 1}\.conv_block\.{place % 3}", rf"body.\1.{name}")
        for place, name in enumerate(_BLOCK)
    ),
    (r"conv_block2\.conv_block\.0", "fusion"),
    (r"conv_block2\.conv_block\.1", "norm"),
    (r"subpixel_convolutional_blocks\.(\d+)\.conv", r"upscale.\1.conv"),
    (r"subpixel_convolutional_blocks\.(\d+)\.prelu", r"upscale.\1.activation"),
    (r"conv_block3\.conv_block\.0", "last"),
)
"""SRResNet of sgrvinod/a-PyTorch-Tutorial-to-Super-Resolution (MIT, commit d6dad17e)."""

TWTYGQYY: Rules = (
    (r"conv_input", "first"),
    *((rf"residual\.(\d+)\.{theirs}", rf"body.\1.{ours}") for theirs, ours in _TWTYGQYY_BLOCK.items()),
    (r"conv_mid", "fusion"),
    (r"bn_mid", "norm"),
    *((rf"upscale4x\.{3 * stage}", f"upscale.{stage}.conv") for stage in _STAGES),
    (r"conv_output", "last"),
)
"""SRResNet of twtygqyy/pytorch-SRResNet (MIT, commit 11cf32c9), which has LeakyReLU of slope 0.2 and few biases."""

LEFTTHOMAS: Rules = (
    (r"block1\.0", "first"),
    (r"block1\.1", "activation"),
    *(
        (rf"block{2 + block}\.{theirs}", f"body.{block}.{ours}")
        for block in range(5)
        for theirs, ours in zip(("conv1", "bn1", "prelu", "conv2", "bn2"), _BLOCK, strict=True)
    ),
    (r"block7\.0", "fusion"),
    (r"block7\.1", "norm"),
    (r"block8\.(\d+)\.conv", r"upscale.\1.conv"),
    (r"block8\.(\d+)\.prelu", r"upscale.\1.activation"),
    (r"block8\.\d+", "last"),
)
"""Generator of leftthomas/SRGAN, whose five residual blocks are called block2 to block6."""

BASICSR: Rules = (
    (r"conv_first", "first"),
    (r"(?:body|trunk_net)\.(\d+)\.(conv[12])", r"body.\1.\2"),
    *((rf"upconv{stage + 1}|upsample{stage + 1}\.upsample_conv", f"upscale.{stage}.conv") for stage in _STAGES),
    (r"conv_hr", "detail"),
    (r"conv_last", "last"),
)
"""MSRResNet of XPixelGroup/BasicSR (Apache-2.0, commit 8d56e3a0), and the same of MMagic."""

DISCRIMINATOR: Rules = (
    (r"features\.0", "features.0.conv"),
    *((rf"features\.{3 * layer - 1}", f"features.{layer}.conv") for layer in range(1, 8)),
    *((rf"features\.{3 * layer}", f"features.{layer}.norm") for layer in range(1, 8)),
    (r"classifier\.0", "hidden"),
    (r"classifier\.2", "score"),
)
"""The discriminator; the article and SRGAN-PyTorch use the same names."""


def basicsr_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of an MSRResNet under the names that BasicSR's has: `BASICSR` backwards."""
    rules = (
        (r"first\.", "conv_first."),
        (r"upscale\.(\d+)\.conv\.", lambda match: f"upconv{int(match[1]) + 1}."),
        (r"detail\.", "conv_hr."),
        (r"last\.", "conv_last."),
    )
    named = {}
    for key, tensor in state.items():
        for pattern, name in rules:
            key = re.sub(rf"^{pattern}", name, key)
        named[key] = tensor
    return named
