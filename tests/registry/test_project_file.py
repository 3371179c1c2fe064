"""``plugins.toml``: where it is looked for, what it may say, and what is said when it says something else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import platformdirs
import pytest

import restore.registry
from restore.registry import Project, ProjectFileError, RequirementUnmet, find_project, read_project
from restore.registry.project_file import config_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, folder: str = ".") -> Path:
        path = tmp_path / folder / "plugins.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


def test_it_says_everything_at_once(write: Any) -> None:
    path = write(
        """
        enabled = ["srgan", "common"]
        disabled = ["vae"]
        paths = ["./mynet.py", "/elsewhere/net"]
        required = ["restore-gfp>=0.2"]
        distribution.srgan = "restore-srgan-plus"
        [plugin.srgan]
        batch_size = 8
        optimizer.lr = 3e-4
        """
    )
    assert read_project(path) == Project(
        path=path,
        enabled=("srgan", "common"),
        disabled=("vae",),
        paths=(path.parent / "mynet.py", Path("/elsewhere/net")),
        required=("restore-gfp>=0.2",),
        defaults={"srgan": {"batch_size": 8, "optimizer": {"lr": 3e-4}}},
        chosen={"srgan": "restore-srgan-plus"},
    )


def test_an_empty_file_says_nothing(write: Any) -> None:
    path = write("")
    assert read_project(path) == Project(path=path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('enable = ["srgan"]', "unknown key 'enable'; did you mean 'enabled'?"),
        ("[plugins.srgan]", "unknown key 'plugins'; did you mean 'plugin'?"),
        ("zzz = 1", "unknown key 'zzz'"),
        ('enabled = "srgan"', "enabled must be a list of strings, not 'srgan'"),
        ("paths = [1]", "paths must be a list of strings, not [1]"),
        ('required = ["gfp >> 1"]', "required: 'gfp >> 1' is not a requirement such as 'restore-demo>=0.2'"),
        ("plugin = 3", "[plugin] must be a table, not 3"),
        ("[plugin]\nsrgan = 3", "[plugin.srgan] must be a table of settings, not 3"),
        ("[distribution]\nsrgan = 3", "[distribution] srgan must be the name of a distribution, not 3"),
        ("enabled = [", "invalid TOML: "),
    ],
)
def test_what_has_no_meaning_is_refused(text: str, message: str, write: Any) -> None:
    path = write(text)
    with pytest.raises(ProjectFileError) as caught:
        read_project(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert caught.value.exit_status == 2


def test_a_byte_order_mark_does_not_matter(write: Any) -> None:
    path = write("\ufeffdisabled = ['vae']")
    assert read_project(path).disabled == ("vae",)


def test_bytes_that_are_no_text_are_refused(write: Any) -> None:
    path = write("")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectFileError, match="invalid TOML"):
        read_project(path)


class TestWhereItIs:
    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
        monkeypatch.delenv("RESTORE_PLUGINS_TOML", raising=False)

    def test_there_may_be_none(self) -> None:
        assert find_project() == Project()

    def test_the_working_directory_then_the_variable_then_the_user(
        self, write: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        write('disabled = ["user"]', "configuration/restore")
        assert find_project().disabled == ("user",)
        monkeypatch.setenv("RESTORE_PLUGINS_TOML", str(write('disabled = ["variable"]', "project")))
        assert find_project().disabled == ("variable",)
        write('disabled = ["here"]')
        assert find_project().disabled == ("here",)
        assert find_project(tmp_path / "project").disabled == ("variable",)

    def test_a_variable_that_names_no_file_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RESTORE_PLUGINS_TOML", "/nowhere/plugins.toml")
        with pytest.raises(ProjectFileError, match="no such file"):
            find_project()

    def test_a_folder_of_that_name_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "plugins.toml").mkdir()
        with pytest.raises(ProjectFileError, match="cannot be read"):
            find_project()

    def test_without_a_home_there_is_no_file_of_the_users(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XDG_CONFIG_HOME")
        monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: Path("~/.config/restore"))
        assert find_project() == Project()

    def test_a_home_that_may_not_be_looked_into_holds_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        exists = Path.exists

        def guarded(path: Path) -> bool:
            if "configuration" in path.parts:
                raise PermissionError(13, "Permission denied", str(path))
            return exists(path)

        monkeypatch.setattr(Path, "exists", guarded)
        assert find_project() == Project()

    def test_the_home_of_nobody_is_an_error(self, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RESTORE_PLUGINS_TOML", "~nobody-of-this-name/plugins.toml")
        with pytest.raises(ProjectFileError, match=r"^\$RESTORE_PLUGINS_TOML: '~nobody-of-this-name/plugins.toml'"):
            find_project()
        for text in ('paths = ["~nobody-of-this-name/a.py"]', 'distribution.a = "~nobody-of-this-name/a.py"'):
            with pytest.raises(ProjectFileError, match="cannot determine the home directory for ~"):
                read_project(write(text))

    def test_the_configuration_folder_follows_the_system(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert config_folder().parts[-2:] == ("configuration", "restore")
        monkeypatch.delenv("XDG_CONFIG_HOME")
        assert config_folder().parts[-2:] == (".config", "restore")


class TestTheRepositorysOwnCopy:
    @staticmethod
    def shown() -> str:
        """The file with its examples in force: the lines whose ``#`` is followed by no space."""
        lines = (ROOT / "plugins.toml").read_text("utf-8").splitlines()
        return "\n".join(line[1:] for line in lines if line.startswith("#") and line[1:2].strip())

    def test_it_changes_nothing(self) -> None:
        assert read_project(ROOT / "plugins.toml") == Project(path=ROOT / "plugins.toml")

    def test_every_line_that_it_shows_is_valid(self, write: Any) -> None:
        project = read_project(write(self.shown()))
        assert project.enabled
        assert project.disabled
        assert project.paths
        assert project.required
        assert project.chosen == {"srgan": "restorekit"}
        assert not restore.registry.Registry(project, restore.registry.discover()).project.warnings

    def test_the_settings_that_it_shows_exist(self, write: Any) -> None:
        defaults = read_project(write(self.shown())).defaults
        assert set(defaults) == {"srgan"}
        settings = restore.registry.entry("tasks", "srgan/srgan").locate("settings")
        assert settings(**defaults["srgan"]).batch_size == 8


class TestRequired:
    def test_nothing_starts_without_what_is_required(self, offer: Any, build: Any) -> None:
        registry = build.registry(
            offer("demo", build.task("demo")), required=("restore-gfp>=0.2", "restorekit>=99", "restorekit>=0.0.1")
        )
        with pytest.raises(RequirementUnmet) as caught:
            registry.get("tasks", "demo")
        assert "/project/plugins.toml: restore-gfp>=0.2 is not installed; restorekit>=99 is required, but" in str(
            caught.value
        )
        assert caught.value.exit_status == 2
        assert [plugin.state for plugin in registry.plugins()] == ["ready"]

    def test_what_is_there_is_not_missed(self, offer: Any, build: Any) -> None:
        registry = build.registry(offer("demo", build.task("demo")), required=("restorekit>=0.0.1",))
        assert registry.entry("tasks", "demo").name == "demo"
        assert registry.unmet_requirements() == []

    def test_a_marker_of_another_environment_asks_for_nothing(self, build: Any) -> None:
        lines = ("restore-gfp>=0.2; python_version < '3'", "restorekit>=99; sys_platform == 'none'")
        assert build.registry(required=lines).unmet_requirements() == []
        here = build.registry(required=("restore-gfp>=0.2; python_version > '3'",))
        assert here.unmet_requirements() == ["restore-gfp>=0.2; python_version > '3' is not installed"]

    def test_what_an_extra_needs_is_required_too(self, build: Any, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        more = [
            "restorekit>=99; extra == 'gpu-2'",
            "restorekit>=0.0.1; extra == 'cpu'",
            "restore-gfp; extra == 'gpu-2'",
        ]
        metadata = site.install("restore-extras", {}, {}, requires=more) / "METADATA"
        offered = "Provides-Extra: gpu-2\nProvides-Extra: cpu\nRequires-Dist"
        metadata.write_text(metadata.read_text().replace("Requires-Dist", offered, 1))
        monkeypatch.syspath_prepend(str(site.folder))
        assert build.registry(required=("restore-extras", "restore-extras[cpu]")).unmet_requirements() == []
        gpu, gfp = build.registry(required=("restore-extras[GPU_2]",)).unmet_requirements()
        assert gpu.startswith("for restore-extras[GPU_2]: restorekit>=99 is required, but ")
        assert gfp == "for restore-extras[GPU_2]: restore-gfp is not installed"
        (unknown,) = build.registry(required=("restore-extras[tpu]",)).unmet_requirements()
        assert unknown == "restore-extras[tpu] is required, but restore-extras 1.0 has no extra 'tpu'"


def test_plugin_defaults_are_a_copy(build: Any) -> None:
    registry = build.registry(defaults={"inpaint_gan": {"optimizer": {"lr": 1}}})
    registry.plugin_defaults("inpaint-gan")["optimizer"]["lr"] = 2
    assert registry.plugin_defaults("inpaint_gan") == {"optimizer": {"lr": 1}}
    assert registry.plugin_defaults("srgan") == {}
