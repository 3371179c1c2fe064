"""Who may be loaded, decided before anything is imported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from restore.registry import Plugin, Project, Registry


def states(registry: Any) -> dict[str | None, str]:
    return {plugin.distribution: plugin.state for plugin in registry.plugins()}


def of(registry: Any, distribution: str | None) -> Plugin:
    (plugin,) = [plugin for plugin in registry.plugins() if plugin.distribution == distribution]
    return plugin


@pytest.fixture
def rivals(offer: Any, build: Any) -> Any:
    return offer("demo", build.task("one"), "restore-one"), offer("demo", build.task("two"), "restore-two")


@pytest.fixture
def usurper(offer: Any, build: Any) -> Any:
    return (
        offer("srgan", build.task("srgan"), "restore-srgan-plus"),
        offer("srgan", build.task("srgan"), "restorekit"),
    )


def test_of_two_third_parties_neither_is_loaded(rivals: Any, build: Any) -> None:
    registry = build.registry(*rivals)
    assert states(registry) == {"restore-one": "conflict", "restore-two": "conflict"}
    assert not {rival.value for rival in rivals} & set(sys.modules)
    assert of(registry, "restore-one").reason == (
        "restore-two provides a plugin of the same name; to use this one, write under [distribution] in plugins.toml: "
        'demo = "restore-one"'
    )


def test_the_line_that_the_reason_prints_settles_it(rivals: Any, build: Any) -> None:
    registry = build.registry(*rivals, chosen={"demo": "Restore.Two"})
    assert states(registry) == {"restore-one": "disabled", "restore-two": "ready"}
    assert of(registry, "restore-one").reason == "/project/plugins.toml chooses restore-two for this name"
    assert registry.entry("tasks", "two").distribution == "restore-two"


def test_a_built_in_stays_ready_and_the_newcomer_is_the_conflict(usurper: Any, build: Any) -> None:
    registry = build.registry(*usurper)
    assert states(registry) == {"restorekit": "ready", "restore-srgan-plus": "conflict"}
    assert 'srgan = "restore-srgan-plus"' in of(registry, "restore-srgan-plus").reason
    assert registry.entry("tasks", "srgan").distribution == "restorekit"


def test_a_person_may_prefer_the_newcomer(usurper: Any, build: Any) -> None:
    registry = build.registry(*usurper, chosen={"srgan": "restore-srgan-plus"})
    assert states(registry) == {"restorekit": "disabled", "restore-srgan-plus": "ready"}


def test_a_person_may_confirm_the_built_in(usurper: Any, build: Any) -> None:
    registry = build.registry(*usurper, chosen={"srgan": "restorekit"})
    assert states(registry) == {"restorekit": "ready", "restore-srgan-plus": "disabled"}


def test_a_choice_of_somebody_who_claims_nothing_settles_nothing_and_warns(rivals: Any, build: Any) -> None:
    registry = build.registry(*rivals, chosen={"demo": "restore-tow"})
    assert set(states(registry).values()) == {"conflict"}
    assert registry.project.warnings == (
        "/project/plugins.toml: distribution: 'restore-tow' provides no plugin 'demo'; "
        "did you mean 'restore-two' or 'restore-one'?",
    )


def test_enabled_is_an_allow_list(offer: Any, build: Any) -> None:
    registry = build.registry(offer("one", "", "restore-one"), offer("two", "", "restore-two"), enabled=("two",))
    assert states(registry) == {"restore-one": "disabled", "restore-two": "ready"}
    assert of(registry, "restore-one").reason == "not listed in `enabled` of /project/plugins.toml"
    assert of(registry, "restore-one").load_ms is None


def test_disabled_goes_before_enabled(offer: Any, build: Any) -> None:
    registry = build.registry(offer("one", "", "restore-one"), enabled=("one",), disabled=("one",))
    assert states(registry) == {"restore-one": "disabled"}


def test_unknown_plugin_names_warn_with_a_suggestion(offer: Any, build: Any) -> None:
    registry = build.registry(
        offer("srgan", ""), enabled=("srgan",), disabled=("sragn",), defaults={"vae": {}}, chosen={"srgn": "x"}
    )
    assert registry.project.warnings == (
        "/project/plugins.toml: disabled: no plugin is called 'sragn'; did you mean 'srgan'?",
        "/project/plugins.toml: plugin: no plugin is called 'vae'",
        "/project/plugins.toml: distribution: no plugin is called 'srgn'; did you mean 'srgan'?",
    )


@pytest.mark.parametrize(
    ("requirement", "state"),
    [
        ("restorekit", "ready"),
        ("restorekit>=0.1", "ready"),
        ("restorekit>=0.1,<0.3", "ready"),
        ("restorekit>=0.2; extra == 'new'", "ready"),
        ("restorekit>=0.2; python_version < '3'", "ready"),
        ("restorekit-tools>=9", "ready"),
        ("restorekit>=0.2", "incompatible"),
        ("RestoreKit (>=0.2)", "incompatible"),
        ("restorekit[onnx]>=0.2", "incompatible"),
        ("restorekit<0.1", "incompatible"),
        ("restorekit>>2", "broken"),
    ],
)
def test_a_plugin_says_which_restorekit_it_needs(requirement: str, state: str, offer: Any, build: Any) -> None:
    candidate = offer("demo", build.task("one"), requires=("torch", requirement))
    assert states(build.registry(candidate, version="0.1.0")) == {"restore-demo": state}
    assert (candidate.value in sys.modules) == (state == "ready")


def test_the_reason_names_both_versions(offer: Any, build: Any) -> None:
    registry = build.registry(offer("demo", "", requires=("restorekit>=2",)), version="0.1.0")
    assert of(registry, "restore-demo").reason == "needs restorekit>=2, but 0.1.0 is installed"


def test_a_development_version_counts_as_its_release(offer: Any, build: Any) -> None:
    candidate = offer("demo", "", requires=("restorekit>=0.1",))
    assert states(build.registry(candidate, version="0.2.0.dev1")) == {"restore-demo": "ready"}


@pytest.mark.parametrize("name", ["my-plugin", "2d", "a/b", "class name"])
def test_a_plugin_name_is_an_identifier(name: str, offer: Any, build: Any) -> None:
    plugin = of(build.registry(offer(name, "")), "restore-demo")
    assert plugin.state == "broken"
    assert f"invalid plugin name {name!r}" in plugin.reason


def test_a_distribution_that_declares_a_name_twice_is_broken(offer: Any, build: Any) -> None:
    plugin = of(build.registry(offer("demo", "", error="its distribution declares 'demo' twice")), "restore-demo")
    assert (plugin.state, plugin.reason) == ("broken", "its distribution declares 'demo' twice")


class TestLocalPlugins:
    @pytest.fixture
    def write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Any) -> Any:
        monkeypatch.setattr(sys, "path", [*sys.path])
        before = set(sys.modules)

        def write(file: str, source: str = "") -> Path:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source or f"from restore.registry import TaskSpec, hookimpl\n{build.task('one')}")
            return path

        yield write
        for name in set(sys.modules) - before:
            if name.startswith("local_"):
                del sys.modules[name]

    @staticmethod
    def registry(*paths: Path, installed: Any = (), **project: Any) -> Registry:
        file = Project(path=paths[0].parent / "plugins.toml", paths=paths, **project)
        return Registry(file, installed, version="0.1.0")

    def test_a_module_beside_the_project_is_a_plugin(self, write: Any) -> None:
        path = write("local_one.py")
        registry = self.registry(path)
        (plugin,) = registry.plugins()
        assert (plugin.name, plugin.state, plugin.path) == ("local_one", "local", path)
        assert (plugin.distribution, plugin.version) == (None, None)
        assert plugin.reason == f"loaded from {path}, listed in `paths` of {path.parent / 'plugins.toml'}"
        assert registry.entry("tasks", "one").full_name == "local_one/one"

    def test_a_package_may_refer_to_its_own_modules(self, write: Any) -> None:
        write("local_two/parts.py", "value = 5\n")
        package = write(
            "local_two/__init__.py",
            "from restore.registry import *\n@hookimpl\n"
            "def restore_losses():\n    return [LossSpec('l1', 'local_two.parts:value', role='pixel')]\n",
        ).parent
        assert self.registry(package).get("losses", "local_two/l1") == 5

    def test_enabled_speaks_of_installed_plugins_only(self, write: Any) -> None:
        path = write("local_three.py")
        assert states(self.registry(path, enabled=())) == {None: "local"}
        assert states(self.registry(path, disabled=("local_three",))) == {None: "disabled"}

    @pytest.mark.parametrize(
        ("file", "reason"),
        [
            ("local_gone.py", "local_gone.py: no such file"),
            ("local_data.json", "invalid plugin name"),
            ("local_data", "is neither a .py file nor a package folder"),
            ("json.py", "another module is called 'json'"),
        ],
    )
    def test_a_path_that_is_no_module_is_broken(self, file: str, reason: str, write: Any, tmp_path: Path) -> None:
        path = tmp_path / file if "gone" in file else write(file)
        (plugin,) = self.registry(path).plugins()
        assert plugin.state == "broken"
        assert reason in plugin.reason

    def test_a_folder_that_is_no_package_is_broken(self, tmp_path: Path) -> None:
        (tmp_path / "local_empty").mkdir()
        (plugin,) = self.registry(tmp_path / "local_empty").plugins()
        assert plugin.state == "broken"
        assert "__init__.py: no such file" in plugin.reason

    def test_a_local_plugin_may_be_chosen_over_an_installed_one(self, write: Any, offer: Any) -> None:
        path = write("local_four.py")
        installed = [offer("local_four", "", "restore-four")]
        assert states(self.registry(path, installed=installed)) == {None: "conflict", "restore-four": "conflict"}
        by_path = self.registry(path, installed=installed, chosen={"local_four": "./local_four.py"})
        assert states(by_path) == {None: "local", "restore-four": "disabled"}
        by_distribution = self.registry(path, installed=installed, chosen={"local_four": "restore-four"})
        assert states(by_distribution) == {None: "disabled", "restore-four": "ready"}
