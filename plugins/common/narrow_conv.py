"""A convolution to few channels, such as the colors of an image, at a third of the usual cost on a CPU."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

OPTIONS = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")


class NarrowConv2d(nn.Conv2d):
    """``nn.Conv2d`` whose few output channels fill the vector registers of a CPU.

    CPU kernels compute 8 or 16 output channels at once, so with 3 channels most of the work is wasted. Here the rows of
    the kernel become channels too: one convolution with a single-row kernel computes what each input row contributes to
    the output rows near it, and ``fold`` adds the contributions up. The result is the same except for the order of the
    sum. Parameters, initialization and state_dict are those of ``nn.Conv2d``. It computes like ``nn.Conv2d`` on other
    devices, and with strides, dilation, groups or a padding other than half the kernel.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name in nn.Conv2d
        """(B, in_channels, H, W) to (B, out_channels, H', W')."""
        if input.device.type != "cpu" or not self._is_plain():
            return super().forward(input)
        height, width = self.kernel_size
        above, beside = (int(padding) for padding in self.padding)
        # an input row contributes to the output rows around it in reverse order of the kernel's rows
        rows = self.weight.flip(2).transpose(1, 2).reshape(-1, self.in_channels, 1, width)
        shares = F.conv2d(input, rows, padding=(0, beside))  # (B, out_channels x height, H, W')
        size = (input.shape[-2] + 2 * above - height + 1, shares.shape[-1])
        summed = F.fold(shares.flatten(2), size, (height, 1), padding=(above, 0))
        return summed if self.bias is None else summed + self.bias.view(-1, 1, 1)

    def simplify(self) -> nn.Module:
        """Return the equivalent ``nn.Conv2d``, for graphs."""
        options: dict[str, Any] = {option: getattr(self, option) for option in OPTIONS}
        usual = nn.Conv2d(self.in_channels, self.out_channels, bias=self.bias is not None, **options)
        usual.load_state_dict(self.state_dict())
        return usual.to(self.weight).train(self.training).requires_grad_(self.weight.requires_grad)

    def _is_plain(self) -> bool:
        return (
            self.stride == self.dilation == (1, 1)
            and self.groups == 1
            and self.padding_mode == "zeros"
            and not isinstance(self.padding, str)
            and self.padding[0] == self.kernel_size[0] // 2
            and self.kernel_size[0] % 2 == 1
        )
