"""What tests of the autoencoders share."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def _small_networks(one_thread: None) -> None:
    """All networks here are."""
