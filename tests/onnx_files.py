"""A tiny ONNX file, and a stand-in for onnxruntime where it is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


def _field(number: int, content: bytes | int) -> bytes:
    """One field of a protobuf message: a short string or message, or a small number."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def _value(name: bytes, dimensions: int) -> bytes:
    """A float32 value of so many dimensions, of any size each."""
    shape = b"".join(_field(1, _field(2, f"d{place}".encode())) for place in range(dimensions))
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))


_NODE = _field(1, b"x") + _field(2, b"y") + _field(4, b"Flatten")
_GRAPH = _field(1, _NODE) + _field(2, b"g") + _field(11, _value(b"x", 4)) + _field(12, _value(b"y", 2))
FLATTEN = _field(1, 8) + _field(7, _GRAPH) + _field(8, _field(2, 13))
"""An ONNX model (IR 8, opset 13) that flattens images (B, C, H, W) to (B, C H W)."""


class _Session:
    def __init__(self, path: str, providers: list[str]) -> None:
        assert providers == ["CPUExecutionProvider"]
        with open(path, "rb") as file:  # noqa: PTH123 - the interface that it stands for takes strings
            if file.read() != FLATTEN:
                raise ValueError("Protobuf parsing failed.")

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="x")]

    def run(self, names: None, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        (images,) = inputs.values()
        if images.shape[-1] > 64:
            raise ValueError("no kernel\nInvalid dimension")
        return [images.reshape(len(images), -1) if images.shape[-1] > 2 else images]


def fake_onnxruntime() -> ModuleType:
    """A module with the part of onnxruntime's interface that is used; its sessions can only flatten."""
    module = ModuleType("onnxruntime")
    module.__spec__ = ModuleSpec("onnxruntime", None)
    module.InferenceSession = _Session  # type: ignore[attr-defined]
    return module
