"""What all tests of inference have."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def _small_networks(one_thread: None) -> None:
    """All networks here are."""
