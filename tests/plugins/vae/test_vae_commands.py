"""``restore sample`` and ``restore interpolate``."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from built import networks_of
from PIL import Image
from pydantic import ValidationError
from typer.testing import CliRunner

from restore.cli.app import app
from restore.core.errors import UsageError
from restore.core.images.files import open_image, read_image, write_image
from restore.core.inference.engine import predict_image
from restore.core.weights.files import save_weights
from restore.plugins.common.animation import resize_to_cover
from restore.plugins.vae.commands import interpolate, sample
from restore.plugins.vae.settings import AutoencoderPredictOptions, InterpolateSettings, SampleSettings
from restore.plugins.vae.task import Autoencoder, VariationalAutoencoder


@pytest.fixture
def task() -> VariationalAutoencoder:
    torch.manual_seed(0)
    return VariationalAutoencoder(VariationalAutoencoder.tiny_settings())


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    torch.manual_seed(0)
    paths = tmp_path / "a.png", tmp_path / "b.png"
    write_image(paths[0], torch.rand(3, 10, 14))
    write_image(paths[1], torch.rand(3, 24, 20))
    return paths


def test_samples_are_a_sheet_that_the_seed_decides(task: VariationalAutoencoder, tmp_path: Path) -> None:
    sheets = []
    for number, seed in enumerate([3, 3, 4]):
        settings = SampleSettings(n=5, size=10, seed=seed, output=tmp_path / f"{number}.png")
        sample(task, networks_of(task), settings)
        sheets.append(read_image(settings.output).color)
    assert sheets[0].shape == (3, 2 * 12 + 2, 3 * 12 + 2)  # 5 as 3 + 2, each of 10 pixels between lines of 2
    assert torch.equal(sheets[0], sheets[1])
    assert not torch.equal(sheets[0], sheets[2])
    drawn = [sheets[0][:, 2:12, 2 + 12 * column : 12 + 12 * column] for column in range(3)]
    assert not torch.equal(drawn[0], drawn[1])
    assert sheets[0][:, -12:-2, -12:-2].min() == 1  # the sixth place is empty


def test_samples_are_decoded_one_at_a_time(task: VariationalAutoencoder, tmp_path: Path) -> None:
    counts: list[int] = []
    networks_of(task)["decoder"].register_forward_hook(lambda _module, inputs, _output: counts.append(len(inputs[0])))
    sample(task, networks_of(task), SampleSettings(n=5, size=10, output=tmp_path / "s.png"))
    assert counts == [1] * 5


def test_a_plain_autoencoder_cannot_be_sampled(tmp_path: Path) -> None:
    plain = Autoencoder(Autoencoder.tiny_settings())
    with pytest.raises(UsageError, match="no prior"):
        sample(plain, networks_of(plain), SampleSettings(output=tmp_path / "s.png"))


def test_a_strip_begins_and_ends_with_the_reconstructions(
    task: VariationalAutoencoder, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    networks, output = networks_of(task), tmp_path / "walk.png"
    interpolate(task, networks, InterpolateSettings(images=pair, steps=4, output=output))
    strip = read_image(output).color
    assert strip.shape == (3, 10, 4 * 14)
    first, second = (read_image(path).color for path in pair)
    for end, shown in ((first, strip[..., :14]), (resize_to_cover(second, 10, 14), strip[..., -14:])):
        expected = task.predict({"input": end[None]}, networks)["output"][0]
        torch.testing.assert_close(shown, expected.detach(), atol=0.6 / 255, rtol=0)
    assert not torch.equal(strip[..., 14:28], strip[..., 28:42])


def test_a_gif_walks_there_and_back(task: VariationalAutoencoder, pair: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "walk.gif"
    interpolate(task, networks_of(task), InterpolateSettings(images=pair, steps=4, output=output))
    with Image.open(output) as animation:
        assert animation.format == "GIF"
        assert animation.size == (14, 10)
        assert getattr(animation, "n_frames", 1) == 6
        assert animation.info["loop"] == 0


def test_a_plain_autoencoder_walks_too_and_upscales(pair: tuple[Path, Path], tmp_path: Path) -> None:
    plain = Autoencoder(Autoencoder.tiny_settings(model={"channels": 2, "depth": 1, "latent": 2, "scale": 2}))
    output = tmp_path / "walk.png"
    interpolate(plain, networks_of(plain), InterpolateSettings(images=pair, steps=2, output=output))
    assert read_image(output).size == (20, 2 * 28)


def test_both_commands_run_from_the_command_line(
    task: VariationalAutoencoder, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    weights, sheet, strip = (str(tmp_path / name) for name in ("w.safetensors", "sheet.png", "strip.png"))
    save_weights(
        Path(weights), task="vae/vae", model=task.settings.model.model_dump(mode="json"), networks=networks_of(task)
    )
    runner = CliRunner()
    sampled = runner.invoke(app, ["sample", weights, "-n", "4", "--size", "8", "--output", sheet])
    assert (sampled.exit_code, sampled.output.strip()) == (0, sheet)
    assert read_image(Path(sheet)).size == (22, 22)
    walked = runner.invoke(app, ["interpolate", weights, *map(str, pair), "--steps", "3", "--output", strip])
    assert (walked.exit_code, walked.output.strip()) == (0, strip)
    assert read_image(Path(strip)).size == (10, 42)


@pytest.mark.parametrize("name", ["walk.jpg", "walk"])
def test_other_kinds_of_file_are_refused(
    task: VariationalAutoencoder, pair: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match=r"\.png or \.gif"):
        interpolate(task, networks_of(task), InterpolateSettings(images=pair, output=tmp_path / name))
    assert not (tmp_path / name).exists()


def test_no_file_is_replaced_unasked(task: VariationalAutoencoder, pair: tuple[Path, Path], tmp_path: Path) -> None:
    before, networks = pair[1].read_bytes(), networks_of(task)
    for command, settings in (
        (interpolate, InterpolateSettings(images=pair, output=pair[1])),
        (sample, SampleSettings(output=pair[1])),
    ):
        with pytest.raises(UsageError, match=r"b.png: already exists; choose another name or add --overwrite"):
            command(task, networks, settings)
        assert pair[1].read_bytes() == before
        command(task, networks, settings.model_copy(update={"overwrite": True}))
        assert pair[1].read_bytes() != before
        pair[1].write_bytes(before)


def test_predictions_toward_another_image_are_those_of_the_strip(
    task: VariationalAutoencoder, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    networks, output = networks_of(task), tmp_path / "walk.png"
    interpolate(task, networks, InterpolateSettings(images=pair, steps=5, output=output))
    strip = read_image(output).color
    for number, position in enumerate((0, 0.25, 0.5, 0.75, 1)):
        between = task.with_options(predict=AutoencoderPredictOptions(toward=pair[1], position=position))
        image = open_image(pair[0])
        whole = predict_image(between, networks, between.open_inputs(pair[0], image))["output"]
        wanted = strip[..., 14 * number : 14 * (number + 1)]
        torch.testing.assert_close(whole, wanted, atol=0.6 / 255, rtol=0)
        read = predict_image(between, networks, between.read_inputs(pair[0], image.read_whole()))["output"]
        assert torch.equal(read, whole)


def test_a_position_needs_a_second_image() -> None:
    with pytest.raises(ValidationError, match="position needs toward"):
        AutoencoderPredictOptions(position=0.1)
