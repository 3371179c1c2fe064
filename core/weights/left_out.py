"""Objects beside the weights in a checkpoint that are harmless: they are left out, and nothing of them is run.

`torch.load(weights_only=True)` refuses a file with any object that it does not know, even a number of NumPy. Here each
name of a short list stands for an empty class, so that the file can be read: neither is its library imported, nor does
any of its code run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Self


class LeftOut:
    """Stands for an object that was left out."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Take any arguments."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Keep nothing of the arguments."""

    def __setstate__(self, _: Any) -> None:
        """Keep nothing of the state."""


class _Emptied:
    """Makes an empty dictionary."""

    def __new__(cls, *_: Any, **__: Any) -> dict[Any, Any]:  # type: ignore[misc]
        """Take any arguments."""
        return {}


_NAMES = {
    "numpy": "dtype ndarray",
    "numpy.core.multiarray": "scalar _reconstruct",
    "numpy._core.multiarray": "scalar _reconstruct",
    "numpy.dtypes": "BoolDType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType UInt32DType "
    "UInt64DType Float16DType Float32DType Float64DType Complex64DType Complex128DType StrDType BytesDType ObjectDType",
    "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
    "builtins": "int float str bool bytes list dict tuple frozenset slice range object",
    "typing": "Any",
    "collections": "deque",
    "argparse": "Namespace",
    "types": "SimpleNamespace",
    "datetime": "datetime date time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "uuid": "UUID",
    "pathlib": "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
    "pathlib._local": "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
    "omegaconf.dictconfig": "DictConfig",
    "omegaconf.listconfig": "ListConfig",
    "omegaconf.base": "ContainerMetadata Metadata SCMode",
    "omegaconf.nodes": "AnyNode StringNode IntegerNode FloatNode BooleanNode PathNode BytesNode EnumNode",
    "mmengine.logging.history_buffer": "HistoryBuffer",
    "pytorch_lightning.callbacks.model_checkpoint": "ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping": "EarlyStopping",
}
"""Modules with the names of their harmless objects."""

_MAPPINGS = {
    "collections": "defaultdict",
    "pytorch_lightning.utilities.parsing": "AttributeDict",
    "lightning.pytorch.utilities.parsing": "AttributeDict",
    "lightning_fabric.utilities.data": "AttributeDict",
}
"""The same for mappings, which are read as dictionaries: a pickle fills them after it has made them."""


@cache
def harmless_globals() -> tuple[Callable[..., Any], ...]:
    """Return what stands for each harmless object, for ``torch.serialization.safe_globals``."""
    return tuple(
        type(name, (base,), {"__module__": module})
        for base, listed in ((LeftOut, _NAMES), (_Emptied, _MAPPINGS))
        for module, names in listed.items()
        for name in names.split()
    )


def name_left_out(value: Any) -> str:
    """Return the name of an object that was left out, such as ``numpy scalar``; empty for any other value."""
    kind = value if isinstance(value, type) else type(value)
    if not issubclass(kind, LeftOut):
        return ""
    package, name = kind.__module__.partition(".")[0], kind.__name__
    return f"{package} {name.strip('_').removeprefix('reconstruct') or 'array'}"
