"""What tests of every part share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Before torch is imported: small networks only lose time by sharing their work, and sums do not depend on the machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

# The same examples everywhere, on a machine of any speed, and no folder of examples beside the tests.
settings.register_profile(
    "everywhere", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everywhere")


def _neighbor(file: str, name: str) -> ModuleType:
    """Import a file of this folder, which is on no import path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


OF_THE_USER = (
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TERMINAL_WIDTH"),
    *("RESTORE_PLUGINS_TOML", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
)
"""Variables that change what is printed, which plugins count, or how many processes a run believes to be one of."""


@pytest.fixture(scope="session", autouse=True)
def _same_everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A terminal of 80 columns and a user without settings, caches and downloads, whoever runs the tests and where.

    A test that is about one of these sets it itself.
    """
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_THE_USER + tuple(name for name in os.environ if name.startswith("ACCELERATE_")):
            patch.delenv(name, raising=False)
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA", "TORCH_HOME", "HF_HOME"):
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("COLUMNS", "80")
        patch.setenv("LINES", "24")
        patch.setenv("TERM", "xterm")
        yield


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small networks only lose time by sharing their work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seeded() -> None:
    """The seed is the same in every run of a test."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def golden() -> ModuleType:
    """The checker of recorded reference outputs: ``golden.load("seed_content_loss").check(function)``."""
    return _neighbor("golden/checker.py", "golden_checker")


@pytest.fixture(scope="session")
def fake_site() -> Any:
    """The class ``FakeSite(folder)``, for fixtures that live longer than a test."""
    return _neighbor("fake_distribution.py", "fake_distribution").FakeSite


@pytest.fixture
def site(tmp_path: Path, fake_site: Any) -> Any:
    """An empty folder into which distributions can be "installed": ``site.install(…)``, ``site.environment()``."""
    return fake_site(tmp_path / "site-packages")


@pytest.fixture
def browser(chromium: Any) -> Any:
    """The browser of the session with an empty page, an empty log and the usual size of its window."""
    chromium.get("about:blank")
    chromium.set_window_size(1400, 1000)
    chromium.get_log("browser")  # reading the log empties it
    return chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's chromium without a window, driven by selenium; skips where one of them is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and its driver are not installed (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(argument)
    for kind in ("renderer-backgrounding", "background-timer-throttling", "backgrounding-occluded-windows"):
        options.add_argument(f"--disable-{kind}")  # nobody looks at the window, and pages must not slow down for it
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield session
    session.quit()
