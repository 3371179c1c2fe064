"""The distribution holds every package, every family is announced, and wheel and sdist work where nothing else does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from separate_environment import Environment

from restore.registry import entries
from restore.registry.kinds import DECLARED

ROOT = Path(__file__).parents[1]
ROOMS = ("cli", "core", "plugins", "recipes", "registry")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TEMPLATES = ROOT / "cli" / "templates"  # files that restore new-plugin writes, not code of the tool
FAMILIES = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))


def packages() -> list[str]:
    """Every folder that Python can import, as a package of ``restore``."""
    found = (
        path.parent.relative_to(ROOT)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if TEMPLATES not in path.parents
    )
    return sorted(".".join(("restore", *folder.parts)) for folder in found)


def test_every_folder_of_code_is_a_package_of_the_distribution() -> None:
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == packages()


def test_no_module_lies_in_a_folder_that_is_no_package() -> None:
    lost = [
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if not (path.parent / "__init__.py").exists() and TEMPLATES not in path.parents
    ]
    assert lost == []


def test_every_family_has_an_entry_point_of_its_name() -> None:
    announced = PROJECT["project"]["entry-points"]["restore.plugins"]
    assert announced == {family: f"restore.plugins.{family}" for family in FAMILIES}


@pytest.mark.parametrize("kind", DECLARED)
def test_what_families_provide_is_declared(kind: str) -> None:
    provided = {entry.name: f"restore.plugins.{entry.plugin}" for entry in entries(kind) if entry.plugin in FAMILIES}
    assert PROJECT["project"]["entry-points"][f"restore.{kind}"] == provided


def test_every_family_is_kept_apart_by_the_linter() -> None:
    (contract,) = (
        c for c in PROJECT["tool"]["importlinter"]["contracts"] if "restore.plugins.common" in c.get("layers", ())
    )
    apart = {name.strip().rpartition(".")[2] for name in contract["layers"][0].split("|")}
    assert apart == set(FAMILIES) - {"common"}


def test_every_room_is_typed_for_its_users() -> None:
    assert [room for room in ROOMS if not (ROOT / room / "py.typed").exists()] == []


def test_there_is_no_package_at_the_root() -> None:
    # it would make the checkout itself importable as restore, tests and examples included
    assert not (ROOT / "__init__.py").exists()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist."""
    folder = tmp_path_factory.mktemp("built")
    unwanted = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT, folder / "source", ignore=unwanted)
    shutil.copytree(ROOT / ".ci", source / ".ci")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, in which the checkout cannot be seen."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "venv", editable=False)
    environment.install(*built.glob("*.whl"))
    return environment


def test_the_wheel_holds_all_code_templates_and_weights_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    code = [
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.name == "py.typed"
        or path.suffix in (".py", ".pyi", ".safetensors", ".tsv")
        or path.parent.name == "static"
        or (path.suffix == ".yaml" and room == "recipes")
        or (TEMPLATES in path.parents and path.is_file())
    ]
    code = [path for path in code if path.suffix != ".pyc"]
    assert sorted(names) == sorted(f"restore/{path.relative_to(ROOT).as_posix()}" for path in code)


def test_the_sdist_holds_what_its_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    folders = (".ci", "benchmarks", "cli", "core", "docs", "examples", "plugins", "recipes", "registry", "tests")
    files = (path.relative_to(ROOT) for name in folders for path in (ROOT / name).rglob("*") if path.is_file())
    made = ("__pycache__", "build", ".hypothesis", ".pytest_cache", ".ruff_cache", ".mypy_cache")
    needed = [path.as_posix() for path in files if not set(path.parts) & {*made} and ".egg-info" not in str(path)]
    needed += ["CHANGELOG.md", "plugins.toml"]
    assert [name for name in needed if name not in held] == []
    assert [name for name in held if "__pycache__" in name or name.startswith(("runs", "build/"))] == []


def test_an_installed_wheel_is_a_whole_tool(installed: Environment, tmp_path: Path) -> None:
    listed = json.loads(installed.run("restore", "list-plugins", "--json", folder=tmp_path).stdout)
    assert {plugin["name"]: plugin["state"] for plugin in listed} == dict.fromkeys(FAMILIES, "ready")
    where = "import restore.core, restore.cli; print(restore.core.__file__, restore.cli.__file__)"
    for path in installed.run("python", "-c", where, folder=tmp_path).stdout.split():
        assert Path(path).is_relative_to(installed.packages)


def test_an_installed_wheel_restores_an_image(installed: Environment, tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "examples" / "noisy.png", tmp_path / "small.png")
    predict = ("predict", "bicubic", "small.png", "--output", "out", "--scale", "2", "--device", "cpu")
    installed.run("restore", *predict, folder=tmp_path)
    assert (tmp_path / "out" / "small.png").stat().st_size > 1000
