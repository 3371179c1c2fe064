"""``restore mos score`` on files as observers save them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from restore.cli.app import app

IMAGES = ["baby", "bird", "woman"]
QUALITY = {"bicubic": 2, "gan": 4, "original": 5}
RATED = {"id": "1", "title": "Faces", "method": "single", "images": IMAGES, "methods": ["bicubic", "gan"]}
RATED["reference"] = "original"
COMPARED = RATED | {"method": "pairs", "methods": ["a", "b", "c"], "reference": None}


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Return exit status, standard output and standard error of a command."""
    result = CliRunner().invoke(app, ["mos", "score", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def rate(score: Callable[[str, str], int | None]) -> list[dict[str, Any]]:
    """Answers to everything that the study shows; None: no answer."""
    shown = [(image, method, score(image, method)) for image in IMAGES for method in QUALITY]
    return [{"image": i, "method": m, "score": s, "role": "test"} for i, m, s in shown if s is not None]


def save(folder: Path, name: str, **parts: Any) -> Path:
    """Write what an observer saves."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    session = {"format": "restore-opinions", "version": 1, "study": RATED, "finished": True}
    session["observer"] = {"name": name, "session": f"session of {name}"}
    path.write_text(json.dumps(session | parts), "utf-8")
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Five observers who agree but for their biases; the last one also answers two repeats, one of them otherwise."""
    folder = tmp_path / "answers"
    for index in range(5):
        ratings = rate(lambda image, method, i=index: max(1, QUALITY[method] - (i == 1) + (i == 2 and method == "gan")))  # type: ignore[misc]
        if index == 4:
            ratings += [{"image": "baby", "method": "gan", "score": 4, "role": "repeat"}]
            ratings += [{"image": "bird", "method": "gan", "score": 2, "role": "repeat"}]
            ratings += [{"image": "a training image", "method": "gan", "score": 1, "role": "training"}]
        save(folder, f"o{index}", ratings=ratings)
    return folder


def scored(*arguments: str | Path) -> dict[str, Any]:
    status, output, errors = run(*arguments, "--json")
    assert status == 0, errors
    found: dict[str, Any] = json.loads(output)
    return found


def test_means_intervals_and_rules_are_printed(answers: Path) -> None:
    status, output, errors = run(answers)
    assert (status, errors) == (0, "")
    # gan: 4, 3, 5, 4, 4: S = sqrt(1/2), t(0.975, 4) = 2.776445
    assert f"4.00 ± {2.776445 * math.sqrt(0.5 / 5):.2f}" in output
    assert "original (hidden reference)  4.80 ± 0.56" in output
    for rule in ("Student t over N observers", "ITU-R BT.500: a score counts", "ITU-T P.910 annex E", "DMOS: score -"):
        assert rule in output
    assert "rejected: 0 of 5 observers" in output
    assert "1 of 2" in output  # the repeats of the last observer


def test_json_has_every_number_and_only_answers_of_the_test_count(answers: Path) -> None:
    found = scored(answers, "--interval", "normal")
    means = {each["method"]: each for each in found["methods"]}
    assert means["gan"]["mean"] == 4
    assert means["gan"]["half_width"] == pytest.approx(1.96 * math.sqrt(0.5 / 5))
    assert {each["method"]: each["mean"] for each in found["differential"]} == {"bicubic": 2.0, "gan": 4.2}
    assert len(found["presentations"]) == 9
    assert found["scores"]["o2"] == [2, 2, 2, 5, 5, 5, 5, 5, 5]
    assert found["consistency"] == [{"observer": "o4", "repeats": 2, "same": 0.5, "difference": 1.0}]
    assert "1.96 S/sqrt(N)" in found["interval_rule"]


def test_who_answers_at_random_is_rejected_with_the_reason(answers: Path) -> None:
    save(answers, "dice", ratings=rate(lambda image, method: {"baby": 5, "bird": 1, "woman": 3}[image]))
    status, output, _ = run(answers, "--screen", "pearson")
    assert status == 0
    assert "rejected: 1 of 6 observers (dice: r = " in output
    assert "4.00 ± 0.88" in output  # as without the sixth
    assert "--screen pearson would reject dice" in run(answers)[1]
    assert "screening of observers: none" in run(answers, "--screen", "none")[1]


def test_missing_answers_and_one_observer_are_said(tmp_path: Path) -> None:
    save(tmp_path, "one", finished=False, ratings=rate(lambda image, method: None if image == "bird" else 3))
    found = scored(tmp_path)
    assert [each["observers"] for each in found["methods"]] == [1, 1, 1]
    assert found["methods"][0]["half_width"] is None
    notes = " ".join(found["notes"])
    assert "not finished, and scored as far as it goes: one" in notes
    assert "one observer: no interval and no screening" in notes
    save(tmp_path, "two", ratings=rate(lambda image, method: 4))
    assert any(note.startswith("3 scores are missing") for note in scored(tmp_path)["notes"])


def test_one_session_that_was_saved_twice_counts_once_and_equal_names_are_told_apart(answers: Path) -> None:
    (answers / "copy.json").write_bytes((answers / "o0.json").read_bytes())
    save(answers, "other", observer={"name": "o1", "session": "another"}, ratings=rate(lambda image, method: 3))
    found = scored(answers)
    assert sorted(found["observers"]) == ["o0", "o1 (1)", "o1 (2)", "o2", "o3", "o4"]
    assert "saved several times, and counted once: o0" in found["notes"]


def test_preferences_become_a_scale(tmp_path: Path) -> None:
    order = ["c", "b", "a"]
    for index in range(4):
        preferences = [
            {
                "image": image,
                "methods": pair,
                "preferred": sorted(pair, key=order.index)[(index == 0) and image == "bird"],
            }
            for image in IMAGES
            for pair in (["a", "b"], ["c", "a"], ["b", "c"])
        ]
        save(tmp_path, f"o{index}", study=COMPARED, preferences=preferences)
    found = scored(tmp_path)
    strengths = {each["method"]: each["strength"] for each in found["methods"]}
    assert sorted(strengths, key=lambda name: -strengths[name]) == order
    assert found["wins"] == [[0, 1, 1], [11, 0, 1], [11, 11, 0]]
    status, output, _ = run(tmp_path)
    assert status == 0
    assert "Bradley-Terry, maximum likelihood" in output
    assert "92 % of 24" in output


@pytest.mark.parametrize("write_bom", [False, True])
def test_metrics_are_compared_with_opinion(answers: Path, tmp_path: Path, write_bom: bool) -> None:
    table = tmp_path / "table.csv"
    with table.open("w", encoding="utf-8-sig" if write_bom else "utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["data", "image", "of", "metric", "convention", "value"])
        for index, image in enumerate(IMAGES):
            for method, value in (("bicubic", 30 + index), ("runs/gan", 25 - index), ("unknown", 1)):
                writer.writerow(
                    ["set", f"some/folder/{image}{'x4' * (image == 'bird')}.png", method, "psnr", "8-bit Y", value]
                )
    (found,) = scored(answers, "--metrics", table)["correlations"]
    assert found["metric"] == "psnr (8-bit Y)"
    assert found["presentations"] == 6
    assert -1 < found["plcc"] < -0.9
    assert "psnr (8-bit Y)" in run(answers, "--metrics", table)[1]


def test_a_figure_is_drawn_and_no_figure_is_lost(answers: Path, tmp_path: Path) -> None:
    figure = tmp_path / "new" / "figure.svg"
    assert run(answers, "--figure", figure)[0] == 0
    root = ET.parse(figure).getroot()
    told = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert told[1:] == ["original: 4.80 ± 0.56", "gan: 4.00 ± 0.88", "bicubic: 1.80 ± 0.56"]
    status, _, errors = run(answers, "--figure", figure)
    assert status == 2
    assert "already exists" in errors


HOSTILE = {
    "empty": b" \n",
    "cut off": b'{"format": "restore-opinions", "ver',
    "deep": b"[" * 100_000,
    "no object": b"3",
    "not UTF-8": b'{"format": "\xff\xfe"}',
    "huge number": b'{"format": "restore-opinions", "version": 1' + b"0" * 5000 + b"}",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_session_is_named_and_the_others_are_scored(answers: Path, content: bytes) -> None:
    (answers / "bad.json").write_bytes(content)
    status, output, errors = run(answers)
    assert status == 1
    assert "5 observers" in output
    assert "bad.json: is " in errors
    assert "1 of 6 files left out" in errors
    status, output, errors = run(answers / "bad.json")
    assert (status, output) == (1, "")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"ratings": [{"image": "baby", "method": "gan", "score": 6}]}, "less than or equal to 5"),
        ({"ratings": [{"image": "baby", "method": "gan", "score": True}]}, "valid integer"),
        ({"ratings": [{"image": "baby", "method": "gan", "score": 4.5}]}, "valid integer"),
        ({"ratings": [{"image": "dog", "method": "gan", "score": 4}]}, "which the study does not show"),
        ({"ratings": [{"image": "baby", "method": "gan", "score": 4}] * 2}, "two answers about baby of gan"),
        ({"preferences": [{"image": "baby", "methods": ["gan", "bicubic"], "preferred": "gan"}]}, "another kind"),
        ({"observer": {"name": "\u001b[31mred", "session": "1"}}, "observer.name"),
        ({"study": RATED | {"methods": ["gan", "gan"]}}, "have one name"),
        ({"version": 2}, "version"),
    ],
)
def test_answers_that_cannot_be_are_refused(tmp_path: Path, parts: dict[str, Any], message: str) -> None:
    path = save(tmp_path, "bad", **parts)
    status, _, errors = run(path)
    assert status == 1
    assert message in errors
    assert "\u001b" not in errors


@pytest.mark.parametrize(
    ("command", "message"), [("score", "FILE… is required"), ("collect", "PAGE is required"), ("make", "--inputs DIR")]
)
def test_a_command_without_arguments_leads_to_its_help(command: str, message: str) -> None:
    result = CliRunner().invoke(app, ["mos", command], prog_name="restore")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.endswith(f"\nSee: restore mos {command} --help\n")


def test_wrong_usage_is_told(answers: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    other = save(tmp_path, "other", study=RATED | {"id": "2"})
    table = tmp_path / "table.csv"
    table.write_text("image,of,metric,value\nbaby,esrgan,psnr,30\n", "utf-8")
    short = tmp_path / "short.csv"
    short.write_text("image,value\nbaby,30\n", "utf-8")
    for arguments, message in [
        ((tmp_path / "none.json",), "no such file"),
        ((tmp_path / "nothing",), "has no .json file"),
        ((answers, other), "different studies"),
        ((answers, "--metrics", table), "the study has bicubic, gan, original, the table esrgan"),
        ((answers, "--metrics", short), "has no column of, metric"),
    ]:
        status, output, errors = run(*arguments)
        assert (status, output) == (2, "")
        assert message in errors
    empty = save(tmp_path / "empty", "silent")
    status, output, errors = run(empty)
    assert (status, output) == (1, "")
    assert "no observer has scored anything yet" in errors


def test_the_statistics_can_be_used_without_files() -> None:
    from restore.plugins.opinions import statistics

    values = np.array([[1.0, 5.0], [2.0, 4.0], [1.0, 5.0]])
    presentations = (statistics.Presentation("a", "x"), statistics.Presentation("a", "y"))
    scores = statistics.Scores(values, ("o1", "o2", "o3"), presentations)
    assert [round(each.value, 3) for each in statistics.average_presentations(scores)] == [1.333, 4.667]
    with pytest.raises(ValueError, match="2 observers"):
        statistics.Scores(values, ("o1", "o2"), presentations)
