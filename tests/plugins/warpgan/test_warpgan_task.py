"""WarpGAN as a task: phases, styles, sweeps, what is written and what is measured."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from built import networks_of
from onnx_files import FLATTEN, fake_onnxruntime
from PIL import Image
from pydantic import ValidationError

from restore.core.errors import UsageError
from restore.core.images.files import ImageFile
from restore.core.inference.engine import predict_image
from restore.core.networks import Networks
from restore.plugins.warpgan.letterbox import Letterbox
from restore.plugins.warpgan.networks.discriminator import predict_identity
from restore.plugins.warpgan.options import WarpGANEvaluateOptions, WarpGANPredictOptions
from restore.plugins.warpgan.rendering import draw_points, mark_points
from restore.plugins.warpgan.task import WarpGAN


def small(
    *, predict: WarpGANPredictOptions | None = None, evaluate: WarpGANEvaluateOptions | None = None, **changes
) -> WarpGAN:
    torch.manual_seed(0)
    made = WarpGAN(WarpGAN.tiny_settings(**changes).resolved())
    task = made.with_options(predict=predict, evaluate=evaluate)
    last = networks_of(task)["generator"].decoder.last
    torch.nn.init.normal_(last.weight, std=0.2)  # drawn as if trained: a fresh generator draws all gray
    torch.nn.init.normal_(networks_of(task)["generator"].warp.displacements.weight, std=3)
    return task


def used(task: WarpGAN, image: torch.Tensor) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    outputs = predict_image(task, networks_of(task), {"input": image})
    return outputs, {name: shown.image for name, shown in task.render(outputs, {"input": image}).items()}


@pytest.fixture
def photograph() -> torch.Tensor:
    return torch.rand(3, 40, 52, generator=torch.Generator().manual_seed(1))


# --- using ----------------------------------------------------------------------------------------------------


def test_as_many_styles_are_written_as_were_asked_for(photograph: torch.Tensor) -> None:
    _, written = used(small(predict=WarpGANPredictOptions(styles=3)), photograph)
    assert list(written) == ["style1", "style2", "style3"]
    assert all(image.shape == photograph.shape for image in written.values())
    assert not torch.equal(written["style1"], written["style2"])


def test_styles_are_those_of_the_seed(photograph: torch.Tensor) -> None:
    first, again, other = (
        used(small(predict=WarpGANPredictOptions(styles=2, seed=seed)), photograph)[1]["style2"] for seed in (4, 4, 5)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_scale_of_zero_does_not_warp(photograph: torch.Tensor) -> None:
    task = small(predict=WarpGANPredictOptions(styles=1, exaggeration=0))
    networks = Networks({name: module.eval() for name, module in networks_of(task).items()})
    letterbox = Letterbox.of(photograph[None], 32)
    with torch.inference_mode():
        drawing = task.draw(letterbox.faces, networks, task.styles(networks, count=1, seed=0)[0], 0.0)
    assert torch.allclose(drawing.image, drawing.rendered, atol=1e-5)
    assert not torch.allclose(
        used(task, photograph)[1]["style1"],
        used(small(predict=WarpGANPredictOptions(styles=1, exaggeration=2)), photograph)[1]["style1"],
    )


def test_the_style_of_a_caricature_is_its_own(photograph: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / "drawn.png"
    Image.new("RGB", (30, 30), "orange").save(path)
    task = small(predict=WarpGANPredictOptions(style_of=path, styles=4))
    assert list(used(task, photograph)[1]) == ["styled"]
    networks = Networks({name: module.eval() for name, module in networks_of(task).items()})
    orange = torch.tensor([1.0, 165 / 255, 0.0])[None, :, None, None].expand(1, 3, 32, 32)
    with torch.inference_mode():
        expected = networks.generator(2 * orange - 1).encoded_style
        assert torch.allclose(task.styles(networks, count=9, seed=0, like=path), expected, atol=1e-5)


def test_a_sweep_is_a_row_of_scales_for_each_style(photograph: torch.Tensor) -> None:
    _, written = used(small(predict=WarpGANPredictOptions(styles=2, sweep="0,1,2", exaggeration=1)), photograph)
    assert list(written) == ["style1", "style2", "sweep"]
    assert written["sweep"].shape == (3, 2 * 40, 3 * 52)
    assert torch.equal(written["sweep"][:, 40:, 52:104], written["style2"])


@pytest.mark.parametrize("typed", ["0,,1", "a", "nan", "11"])
def test_a_sweep_of_something_else_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="expected a list like"):
        WarpGANPredictOptions(sweep=typed)


def test_a_sheet_of_a_sweep_that_would_be_too_large_is_refused_before_drawing() -> None:
    large = ImageFile(torch.zeros(3, 1, 1).expand(3, 3000, 4000))
    task = small(predict=WarpGANPredictOptions(styles=2, sweep="0,1,2"))
    with pytest.raises(
        UsageError, match=r"me.jpg: 2 rows of 3 images of 4000 x 3000 pixels make a sheet of 12000 x 6000"
    ):
        task.read_inputs(Path("me.jpg"), large)
    assert small(predict=WarpGANPredictOptions(styles=64)).read_inputs(Path("me.jpg"), large)["input"].shape == (
        3,
        3000,
        4000,
    )


def test_points_are_drawn_larger_than_a_small_image(photograph: torch.Tensor) -> None:
    outputs, written = used(small(predict=WarpGANPredictOptions(styles=1, draw_points=True)), photograph)
    assert list(written) == ["style1", "points"]
    assert written["points"].shape == (3, 400, 520)
    assert 1 <= int((outputs["marks"][0] > 0).sum()) <= 4


def test_marks_say_where_points_are_and_where_they_go() -> None:
    points = torch.tensor([[3.2, 4.0], [-5.0, 30.0]])
    plane = mark_points(points, torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 10, 12)
    assert plane[:, 3, 4].tolist() == [1.0, 1.0, 2.0]
    assert plane[:, 0, 11].tolist() == [2.0, 3.0, 4.0]  # outside: at the border
    assert int((plane[0] > 0).sum()) == 2


def test_a_warp_that_moves_nothing_is_a_straight_grid() -> None:
    shown = draw_points(torch.zeros(3, 512, 512), torch.zeros(3, 512, 512), torch.zeros(2, 512, 512))
    lines = (shown.amin(0) > 0.5).float()
    assert int((lines.mean(1) > 0.99).sum()) == 17
    assert int((lines.mean(0) > 0.99).sum()) == 17


# --- any size and shape ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(32, 32), (20, 50), (64, 33), (1, 1)])
def test_a_frame_gives_back_what_it_was_given(shape: tuple[int, int]) -> None:
    ramp = torch.linspace(0.2, 0.8, shape[0] * shape[1]).view(1, 1, *shape).expand(-1, 3, -1, -1)
    letterbox = Letterbox.of(ramp, 32)
    assert letterbox.faces.shape == (1, 3, 32, 32)
    assert letterbox.back(letterbox.faces).shape == ramp.shape
    assert (letterbox.back(letterbox.faces) - ramp).abs().mean() < 0.02


def test_points_are_brought_back_to_the_image() -> None:
    letterbox = Letterbox.of(torch.zeros(1, 3, 100, 60), 50)  # the square begins 20 columns to the left
    assert letterbox.factor == 2
    assert letterbox.places(torch.tensor([[[0.0, 20.0]]])).tolist() == [[[0.5, 20.5]]]


# --- measuring ------------------------------------------------------------------------------------------------


def test_measured_texture_is_that_of_redrawn_images() -> None:
    task = small()
    torch.nn.init.zeros_(networks_of(task)["generator"].decoder.last.weight)
    torch.nn.init.zeros_(networks_of(task)["generator"].decoder.last.bias)  # everything is gray
    batch = {
        "input": torch.zeros(1, 3, 32, 32),
        "target": torch.full((1, 3, 32, 32), 0.75),
        "identity": torch.tensor([0]),
    }
    with torch.no_grad():
        rows = task.measure(batch, networks_of(task), task.protocols()["caricature"])
    assert rows["texture"].item() == pytest.approx((0.5 + 0.25) / 2)
    assert rows["diversity"].item() == 0
    assert 0 <= rows["inside"].item() <= 1


def test_a_generator_alone_measures_no_people() -> None:
    task = WarpGAN(WarpGAN.tiny_settings())
    assert list(networks_of(task)) == ["generator"]
    assert "rank-1" not in task.protocols()["caricature"]


def test_the_most_likely_person_is_so_over_all_kinds() -> None:
    task = small()
    output = networks_of(task)["discriminator"](torch.zeros(1, 3, 32, 32))
    logits = torch.full((1, 3 * 12), -9.0)
    logits[0, [4, 16]], logits[0, 30] = 1.0, 1.2  # person 4 as a caricature or a photograph; person 6 as drawn
    assert predict_identity(output._replace(identities=logits)).item() == 4


def test_a_recognizer_in_a_file_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", fake_onnxruntime())
    path = tmp_path / "recognizer.onnx"
    path.write_bytes(FLATTEN)
    task = small(evaluate=WarpGANEvaluateOptions(embedder=path, embedder_size=8))
    metrics = task.protocols()["caricature"]
    assert "features of recognizer.onnx" in metrics["rank-1"].convention
    assert "own-identity" not in metrics
    sample = {name: tensor[None] for name, tensor in task.evaluation_data(None)[0].items()}
    with torch.no_grad():
        rows = task.measure(sample, networks_of(task), task.protocols()["caricature"])
    assert rows["rank-1"].shape == (1, 1 + 2 * 3 * 8 * 8)


def test_a_size_for_no_recognizer_is_refused() -> None:
    with pytest.raises(ValidationError, match="embedder_size is set without embedder"):
        WarpGANEvaluateOptions(embedder_size=64)


def test_health_tells_of_points_that_left_the_image() -> None:
    task = small()
    assert task.health({"warp_outside": 0.2}) is None
    assert "--loss.outside" in (task.health({"warp_outside": 0.7}) or "")


def test_the_warp_is_offered_to_other_programs() -> None:
    from restore.plugins import warpgan
    from restore.plugins.warpgan.networks.warping import warp

    assert warpgan.warp is warp
    assert warpgan.__all__ == sorted(warpgan.__all__)
    with pytest.raises(AttributeError, match="no attribute 'unwarp'"):
        warpgan.unwarp  # noqa: B018


def test_generated_and_drawn_caricatures_are_compared_as_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restore.plugins.warpgan.task.inception_features", lambda weights: lambda x: x.mean((2, 3)))
    task = small(evaluate=WarpGANEvaluateOptions(fid="inception"))
    protocol, faces = task.protocols()["caricature"], task.evaluation_data(None)
    samples = [{name: tensor[None] for name, tensor in faces[index].items()} for index in range(3)]
    with torch.no_grad():
        rows = torch.cat([task.measure(sample, networks_of(task), protocol)["fid"] for sample in samples])
    torch.testing.assert_close(rows[:, 3:], torch.cat([sample["target"] for sample in samples]).mean((2, 3)).double())
    assert protocol["fid"].reduce(rows) > 0
    assert "fid" not in small().protocols()["caricature"]


# --- control points -------------------------------------------------------------------------------------------


def test_content_at_given_points_moves_to_their_goals() -> None:
    task, faces = small(), torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    networks = Networks({name: module.eval() for name, module in networks_of(task).items()})
    starts = torch.tensor([[8.0, 8.0], [8.0, 24.0], [24.0, 8.0], [24.0, 24.0]])
    goals = starts + torch.tensor([[4.0, -2.0], [0.0, 3.0], [0.0, 0.0], [-2.0, -4.0]])
    with torch.inference_mode():
        drawing = task.draw(faces, networks, torch.zeros(3), 1.0, torch.stack([starts, goals]))
        still = task.draw(faces, networks, torch.zeros(3), 0.0, torch.stack([starts, goals]))
    for (row, column), (to_row, to_column) in zip(starts.int().tolist(), goals.int().tolist(), strict=True):
        torch.testing.assert_close(
            drawing.image[..., to_row, to_column], drawing.rendered[..., row, column], atol=1e-3, rtol=0
        )
    torch.testing.assert_close(still.image, drawing.rendered, atol=1e-5, rtol=0)
    assert (drawing.image - still.image).abs().max() > 0.1


def test_points_are_given_in_pixels_of_the_photograph(photograph: torch.Tensor) -> None:
    x, y, to_x, to_y = 20.0, 12.0, 32.0, 18.0
    given = ((x, y, to_x, to_y), (5.0, 30.0, 5.0, 30.0), (45.0, 35.0, 45.0, 35.0))
    outputs, _ = used(
        small(predict=WarpGANPredictOptions(styles=1, draw_points=True, control_points=given)), photograph
    )
    marks = outputs["marks"]
    assert marks[0].nonzero().tolist() == [[12, 20], [30, 5], [35, 45]]
    assert marks[1:, 12, 20].tolist() == pytest.approx([6, 12], abs=1e-4)
    assert marks[1:, 30, 5].abs().max() < 1e-4
    # The flow at the goal says where its content comes from.
    assert outputs["flow"][:, 18, 32].tolist() == pytest.approx([6, 12], abs=0.3)


def test_given_points_are_chosen_by_nobody(photograph: torch.Tensor) -> None:
    task = small(predict=WarpGANPredictOptions(control_points=((1, 2, 3, 4),)))
    assert task.choose_options({"input": photograph[None]}, networks_of(task)) == {}
