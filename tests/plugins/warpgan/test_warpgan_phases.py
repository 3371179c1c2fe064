"""The phases of WarpGAN: how epochs are shared out, what is grown, and which settings cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from built import networks_of
from pydantic import ValidationError

from restore.core.weights.files import save_weights
from restore.plugins.warpgan.settings import WarpGANSettings
from restore.plugins.warpgan.task import WarpGAN


def made(**changes) -> WarpGAN:
    return WarpGAN(WarpGAN.tiny_settings(**changes).resolved())


def lengths(task: WarpGAN) -> list[tuple[str, int]]:
    return [(phase.name, phase.epochs) for phase in task.phases()]


def phases(**changes) -> list[tuple[str, int]]:
    return lengths(made(**changes))


def test_a_fifth_of_the_epochs_is_pretraining() -> None:
    assert phases(epochs=10) == [("pretrain", 2), ("adversarial", 8)]
    assert phases(epochs=1) == [("adversarial", 1)]
    assert phases(epochs=4, pretrain={"epochs": 0}) == [("adversarial", 4)]


@pytest.mark.parametrize(
    ("networks", "init_filter", "pretraining"),
    [
        (("generator", "discriminator"), (), 0),
        (("generator", "discriminator"), ("discriminator.*",), 0),
        (("generator", "discriminator"), ("generator.*",), 1),
        (("generator", "discriminator"), ("*.norm.*",), 1),
        (("generator",), (), 1),
    ],
)
def test_a_discriminator_to_begin_with_needs_no_pretraining(
    networks: tuple[str, ...], init_filter: tuple[str, ...], pretraining: int, tmp_path: Path
) -> None:
    trained, path = made(), tmp_path / "trained.safetensors"
    networks = {name: networks_of(trained)[name] for name in networks}
    save_weights(path, task="warpgan/warpgan", model=trained.settings.model.model_dump(mode="json"), networks=networks)
    settings = WarpGANSettings(epochs=5, init_from=path, init_filter=init_filter)
    assert settings.split() == (pretraining, 5 - pretraining)


def test_a_checkpoint_to_begin_with_has_a_discriminator(tmp_path: Path) -> None:
    assert WarpGANSettings(epochs=5, init_from=tmp_path).split() == (0, 5)
    assert WarpGANSettings(epochs=5, init_from=tmp_path, init_filter=("generator.*",)).split() == (1, 4)


def test_growing_comes_in_parts_of_the_adversarial_phase() -> None:
    found = phases(epochs=8, pretrain={"epochs": 1}, adversarial={"progressive": [8, 16]})
    assert found == [("pretrain", 1), ("adversarial-8", 2), ("adversarial-16", 2), ("adversarial", 3)]


def test_a_resumed_run_with_more_epochs_lengthens_its_last_part() -> None:
    task = made(epochs=8, pretrain={"epochs": 1}, adversarial={"progressive": [8, 16]})
    longer = type(task)(task.settings.model_copy(update={"epochs": 20}))
    assert lengths(longer) == [*lengths(task)[:-1], ("adversarial", 15)]
    written = task.settings.model_dump(mode="json")
    assert WarpGANSettings.model_validate({**written, "epochs": 20}) == longer.settings
    with pytest.raises(
        ValidationError, match=r"4 remain for the 3 stage\(s\) .* \(\[2, 2\] epochs, then the last stage\)"
    ):
        WarpGANSettings.model_validate({**written, "epochs": 5})


def test_parts_have_the_lengths_that_were_asked_for() -> None:
    found = phases(epochs=9, pretrain={"epochs": 0}, adversarial={"progressive": [8, 16], "progressive_epochs": [1, 3]})
    assert found == [("adversarial-8", 1), ("adversarial-16", 3), ("adversarial", 5)]


def test_growing_reduces_training_images_alone() -> None:
    task = made(epochs=4, adversarial={"progressive": [8]})
    coarse = task.phases()[1]
    train, validation = (task.dataset(split, coarse) for split in ("train", "validation"))
    assert train.detail == 8
    assert validation.detail is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adversarial": {"progressive": [16, 8]}}, "must be ascending"),
        ({"adversarial": {"progressive": [64]}}, "must be ascending"),
        ({"adversarial": {"progressive": [16], "progressive_epochs": [1, 1]}}, "has 2 length.s. for 1 size"),
        ({"adversarial": {"progressive_epochs": [1]}}, "has 1 length.s. for 0 size"),
        ({"epochs": 2, "pretrain": {"epochs": 2}}, "0 remain for the 1 stage"),
        ({"model": {"size": 30}}, "size"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        WarpGANSettings(**changes)


def test_growing_may_reach_the_size_that_real_faces_have(tmp_path: Path) -> None:
    assert WarpGANSettings(data=tmp_path, adversarial={"progressive": [64, 128]}).adversarial.progressive == [64, 128]


def test_an_optimizer_decays_weights_as_published() -> None:
    settings = WarpGANSettings()
    for optimizer in (settings.adversarial.generator, settings.adversarial.discriminator):
        assert (optimizer.name, optimizer.betas, optimizer.weight_decay) == ("adam", (0.5, 0.9), 1e-4)
