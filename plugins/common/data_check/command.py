"""``restore data check``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from restore.core.errors import RestoreError
from restore.plugins.common.data_check.files import File, decode_all
from restore.plugins.common.data_check.findings import Finding, find_all
from restore.plugins.common.data_check.layout import MASKS, Part, find_parts
from restore.plugins.common.data_check.settings import CheckSettings


def check(settings: CheckSettings) -> None:
    """Print what a folder of data consists of and what is wrong with it.

    Raises UsageError if the folder has no layout that training takes, and RestoreError at the end if there are
    problems.
    """
    parts = find_parts(settings.folder)
    images = [path for part in parts for name, group in part.groups.items() if name != MASKS for path in group]
    masks = [path for part in parts for path in part.groups.get(MASKS, ())]
    files = decode_all(images, masks)
    findings = list(find_all(parts, files, settings.crop_size))
    if settings.as_json:
        print(json.dumps(_as_json(settings.folder, parts, files, findings), indent=2))
    else:
        print("\n".join(_as_text(settings.folder, parts, files, findings)))
    problems = sum(finding.problem for finding in findings)
    if problems:
        raise RestoreError(f"{settings.folder}: {problems} problem{'s' if problems > 1 else ''} found")


def _as_text(
    folder: Path, parts: Sequence[Part], files: Mapping[Path, File], findings: Sequence[Finding]
) -> Iterator[str]:
    for part in parts:
        yield f"{part.folder}: {part.kind}"
        for name, paths in part.groups.items():
            yield f"  {name:<8} {_format_group(_describe([files[path] for path in paths]))}"
    yield from (f"problem: {finding}" for finding in findings if finding.problem)
    yield from (f"note: {finding}" for finding in findings if not finding.problem)
    if not any(finding.problem for finding in findings):
        yield f"{folder} can be trained on."


def _describe(files: Sequence[File]) -> dict[str, Any]:
    """Return number, sizes (width and height in pixels) and kinds of files; files that cannot be read only count."""
    good = sorted((file for file in files if not file.error), key=lambda file: file.size[0] * file.size[1])
    sizes = [file.size[::-1] for file in good]
    kinds = dict(Counter(file.kind for file in good).most_common())
    if not sizes:
        return {"files": len(files), "smallest": None, "median": None, "largest": None, "kinds": {}}
    return {
        "files": len(files),
        "smallest": sizes[0],
        "median": sizes[len(sizes) // 2],
        "largest": sizes[-1],
        "kinds": kinds,
    }


def _format_group(group: Mapping[str, Any]) -> str:
    if group["smallest"] is None:
        return f"{group['files']} files, none of which can be read"
    small, middle, large = ("{}x{}".format(*group[name]) for name in ("smallest", "median", "largest"))
    sizes = f"{small} pixels each" if small == large else f"{small} to {large} pixels, median {middle}"
    kinds = [f"{count} {kind}" if len(group["kinds"]) > 1 else kind for kind, count in group["kinds"].items()]
    return f"{group['files']} files, {sizes}; {', '.join(kinds)}"


def _as_json(
    folder: Path, parts: Sequence[Part], files: Mapping[Path, File], findings: Sequence[Finding]
) -> dict[str, Any]:
    described = [
        {
            "split": part.name or None,
            "folder": str(part.folder),
            "layout": part.kind,
            "groups": {name: _describe([files[path] for path in paths]) for name, paths in part.groups.items()},
        }
        for part in parts
    ]
    told = [{"problem": each.problem, "text": each.text, "files": list(map(str, each.files))} for each in findings]
    return {"folder": str(folder), "parts": described, "findings": told}
