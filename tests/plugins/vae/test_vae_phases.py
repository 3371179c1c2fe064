"""The phases of both tasks: how epochs are shared out, and what each phase trains and is judged by."""

from __future__ import annotations

import pytest
from built import networks_of
from pydantic import ValidationError

from restore.plugins.vae.settings import VAESettings
from restore.plugins.vae.task import WARMUP, Autoencoder, VariationalAutoencoder


def tiny_settings() -> VariationalAutoencoder:
    return VariationalAutoencoder(VariationalAutoencoder.tiny_settings())


@pytest.mark.parametrize(("epochs", "warmup"), [(1, 0), (2, 1), (3, 1), (10, 3), (20, 6)])
def test_warm_up_takes_its_share_of_the_epochs(epochs: int, warmup: int) -> None:
    phases = VariationalAutoencoder(VAESettings(epochs=epochs)).phases()
    assert [(phase.name, phase.epochs) for phase in phases] == [
        *([(WARMUP, warmup)] if warmup else []),
        ("full", epochs - warmup),
    ]


def test_a_warm_up_of_almost_everything_leaves_an_epoch_for_the_objective() -> None:
    phases = VariationalAutoencoder(VAESettings(epochs=4, warmup=0.99)).phases()
    assert [phase.epochs for phase in phases] == [3, 1]


def test_a_resumed_run_with_more_epochs_lengthens_the_objective_alone() -> None:
    resolved = VAESettings(epochs=10).resolved()
    written = resolved.model_dump(mode="json")
    longer = VAESettings.model_validate({**written, "epochs": 20})
    assert [phase.epochs for phase in VariationalAutoencoder(resolved).phases()] == [3, 7]
    assert [phase.epochs for phase in VariationalAutoencoder(longer).phases()] == [3, 17]
    with pytest.raises(ValidationError, match=r"warmup=3 uses all 3 epochs"):
        VAESettings.model_validate({**written, "epochs": 3})


def test_a_run_without_warm_up_gets_none_later() -> None:
    resolved = VAESettings(epochs=1).resolved()
    longer = resolved.model_copy(update={"epochs": 10})
    assert [phase.name for phase in VariationalAutoencoder(longer).phases()] == ["full"]


def test_warm_up_may_be_a_number_of_epochs() -> None:
    assert VAESettings(epochs=10, warmup=4).split() == (4, 6)
    with pytest.raises(ValidationError, match="a fraction below 1 or a whole number"):
        VAESettings(epochs=10, warmup=1.5)


def test_the_best_of_the_objective_is_chosen_by_the_elbo_and_warm_up_by_nothing() -> None:
    warmup, full = VariationalAutoencoder(VAESettings(epochs=10)).phases()
    assert warmup.monitor is None
    assert full.monitor == "elbo"
    assert full.monitor in next(iter(tiny_settings().protocols().values()))


def test_every_network_is_trained() -> None:
    for task in (tiny_settings(), Autoencoder(Autoencoder.tiny_settings())):
        for phase in task.phases():
            assert phase.networks_of("autoencoder") == tuple(networks_of(task))


def test_the_rate_falls_towards_the_end_of_the_run_alone() -> None:
    warmup, full = VariationalAutoencoder(VAESettings(epochs=10)).phases()
    assert warmup.optimizers["autoencoder"].schedule.name == "constant"
    assert full.optimizers["autoencoder"].schedule.name == "cosine"
    assert warmup.optimizers["autoencoder"].lr == full.optimizers["autoencoder"].lr
