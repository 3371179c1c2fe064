"""Recognize, by its first bytes, a file that is no checkpoint: a web page, a git-LFS pointer, TorchScript, an image.

Imports no torch.
"""

from __future__ import annotations

import re
import zipfile
from contextlib import suppress
from pathlib import Path

from restore.core.atomic import reason
from restore.core.errors import UsageError, WeightsError

_START = 1024  # bytes that are looked at
_PAGE = re.compile(rb"^\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body|\?xml)", re.IGNORECASE | re.DOTALL)
_POINTER = b"version https://git-lfs.github.com/spec/"
_STARTS = (
    (b"\x89PNG\r\n", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"BM", "an image"),
    (b"\x89HDF\r\n", "an HDF5 file, as Keras writes it"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"GGUF", "a GGUF file of llama.cpp"),
    (b"7767517\n", "the description of an ncnn network"),
)
_ZIP = b"PK\x03\x04"
_GRAPHS = {
    ".onnx": "is a graph in the format ONNX; restore predicts with the weights that it was made of, and --backend onnx",
    ".xml": "is a graph of OpenVINO; restore predicts with the weights that it was made of, and --backend openvino",
    ".pt2": "is a graph of torch.export; restore predicts with the weights that it was made of",
}
_NETWORK = re.compile(rb"^\s*(<\?xml[^>]*>\s*)?<net\s")  # as OpenVINO writes it


def refuse_other_kinds(path: Path) -> None:
    """Raise an error that calls a file by its name if it is certainly no checkpoint.

    Raises:
        UsageError: the file does not exist, or is a folder.
        WeightsError: it is empty, a web page, a git-LFS pointer, a TorchScript program, an image, or another file
            that holds no parameters; or it cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, not a checkpoint")
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error
    if found := _describe(path, start):
        raise WeightsError(f"{path}: {found}")


def _describe(path: Path, start: bytes) -> str:
    """Return what a file is if it is no checkpoint; empty if it may be one."""
    if not start:
        return "is empty"
    if start.startswith(_POINTER):
        size = re.search(rb"size (\d+)", start)
        stands_for = f" of {int(size[1]) / 1e6:,.1f} MB" if size else ""
        return (
            f"is a git-LFS pointer, which stands for a file{stands_for}; get the file itself with 'git lfs pull', or "
            "download it from the project's page"
        )
    suffix = ".xml" if _NETWORK.match(start) else path.suffix.lower()
    if suffix in _GRAPHS and (suffix != ".xml" or _NETWORK.match(start)):
        return _GRAPHS[suffix]
    if _PAGE.match(start):
        return "is a web page (HTML); the download failed: open its address in a browser and save the file again"
    for begins, name in _STARTS:
        if start.startswith(begins):
            return f"is {name}, not a checkpoint"
    if start.startswith(_ZIP):
        return _describe_archive(path)
    if _is_text(start):
        return f"is a text file, not a checkpoint; it begins with {start[:40].decode('utf-8', 'replace').strip()!r}"
    return ""


def _describe_archive(path: Path) -> str:
    """Return what a zip archive is if torch.save did not write it."""
    with suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError):  # a damaged one is refused later
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
        if "constants.pkl" in names or any(name.startswith("code/") for name in names):
            return (
                "is a TorchScript program; loading it would run code from the file, so restore does not open it. Look "
                "for the checkpoint that it was made of (.pth, .ckpt or .safetensors)"
            )
        if names and "data.pkl" not in names:
            return "is a zip archive, not a checkpoint; unpack it first"
    return ""


def _is_text(start: bytes) -> bool:
    """Return whether bytes are readable text; the header of a safetensors file has zero bytes before it."""
    try:
        text = start.decode("utf-8") if len(start) < _START else start[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)
