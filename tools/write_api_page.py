"""Write ``docs/api.md``: every public name of the packages in `GROUPS`, such as ``restore.core``.

    python tools/write_api_page.py

The sentences come from the docstrings; Sphinx adds signatures and members to the built page. A new public name needs a
place in `GROUPS`. A test fails when the page is stale.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "api.md"

CORE, REGISTRY, TESTING = "restore.core", "restore.registry", "restore.core.testing"
OPINIONS = "restore.plugins.opinions.statistics"

GROUPS: Mapping[str, Mapping[str, str]] = {
    CORE: {
        "Methods and tasks": "Method Task Phase TrainStep Loss Terms Networks ImageSpec Tiling ClassMaps ClassMap",
        "Settings": "Settings RunSettings OptimizerSettings ScheduleSettings Flag Positional RegisteredName ResumeSafe "
        "ImagePath OrPath Slider Seed ControlPoints MovedPoints",
        "Data and images": "Batch ImageDataset as_dataset read_image write_image OutputImage",
        "Training": "Trainer RunResult",
        "Weights and inference": "open_weights open_method save_weights read_header predict_image Converter "
        "Conversion CheckpointState",
        "Measuring": "evaluate Metric MaskedMetric InputMetric NoReferenceMetric MetricResult EvaluationProtocol",
        "Errors": "RestoreError UsageError DataError WeightsError CheckpointError ResumeError Interrupted",
    },
    REGISTRY: {
        "Looking things up": "get entry first_entry entries plugins plugin_defaults project unmet_requirements "
        "current reset",
        "What a plugin returns": "hookimpl TaskSpec ArchitectureSpec DatasetSpec LossSpec MetricSpec ProtocolSpec "
        "CommandSpec ListenerSpec ConverterSpec WeightsSpec RecipeSpec Spec InvalidSpec",
        "What is found": "Entry Plugin State Project Registry Candidate Discovery discover find_project read_project "
        "resolve_reference",
        "Kinds and roles": "Kind KINDS SINGULAR ROLES CORE_COMMANDS",
        "Errors of the registry": "RegistryError UnknownName AmbiguousName WrongRole PluginNotReady MissingReference "
        "RequirementUnmet ProjectFileError",
    },
    TESTING: {
        "Checks": "check_task check_component check_imports check_listener check_settings CHECKS LONGER_CHECKS Check",
        "What they are given, and raise": "RegisteredEntry TaskUnderTest ContractBroken NotApplicable",
    },
    OPINIONS: {
        "Scores and means": "Presentation Scores OpinionMean average_presentations average_methods "
        "compute_differential_scores IntervalRule INTERVAL_RULES NoEstimate",
        "Observers": "screen_bt500 BT500_RULE screen_pearson PEARSON_RULE Screening ScreenedObserver "
        "correlate_observers estimate_subjects SubjectModel SUBJECT_MODEL compare_repeats compare_repeated_preferences "
        "Consistency",
        "Pairs, and agreement of metrics": "count_wins fit_bradley_terry PairScale PAIRS_RULE correlate_metric "
        "Correlation CORRELATION_RULE",
    },
}
"""Public names by module and heading, in the order of the page."""

ABOUT = {
    CORE: "What a family is made of, and what trains, keeps and uses it.",
    REGISTRY: "What is installed, and what a plugin says about itself. It imports neither torch nor `restore.core`.",
    OPINIONS: "Statistics of opinions, on arrays. [Opinions](opinions.md) shows what `restore mos` makes of them.",
    TESTING: "The contracts of plugins, for their tests. [Checks](authors/checks.md) shows how to use them.",
}


def render_page() -> str:
    """Return the page. Raises ValueError if `GROUPS` lacks a public name, or has one that is not public."""
    lines = [
        "# Python API\n",
        "<!-- written by: python tools/write_api_page.py -->\n",
        "Every public name. Names that are not listed here may change without notice, except what `restore new-plugin`",
        "uses of `restore.plugins.common`. [Plugin authors](authors/index.md) find these names in use; the README has",
        "[an example](../README.md#python-api) without the command line.",
    ]
    for module, groups in GROUPS.items():
        listed = [name for names in groups.values() for name in names.split()]
        public = import_module(module).__all__
        if sorted(listed) != sorted(public):
            raise ValueError(f"{module}: GROUPS and __all__ differ in {sorted({*listed} ^ {*public})}")
        homes = find_homes(module)
        lines += [f"\n## `{module}`\n", ABOUT[module]]
        for heading, names in groups.items():
            lines += [f"\n### {heading}\n", "| name | |\n|---|---|"]
            found = {name: getattr(import_module(module), name) for name in names.split()}
            lines += [f"| `{name}` | {summarize(value, name, homes[name])} |" for name, value in found.items()]
            lines += ["\n<!-- sphinx", "```{eval-rst}"]
            lines += [line for name, value in found.items() for line in directive(module, name, value, homes[name])]
            lines += ["```", "-->"]
    return "\n".join(lines) + "\n"


def find_homes(module: str) -> dict[str, str]:
    """Return the module in which each public name is defined."""
    file = Path(str(import_module(module).__file__))
    stub = file.with_suffix(".pyi")
    homes: dict[str, str] = dict.fromkeys(import_module(module).__all__, module)
    for node in ast.parse((stub if stub.exists() else file).read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            source = f"{module}.{node.module}" if node.level else node.module
            homes |= {alias.name: source for alias in node.names}
    return homes


def summarize(value: Any, name: str, home: str) -> str:
    """Return the first sentence of the docstring of a class, a function or a value."""
    documented = inspect.isclass(value) or inspect.isfunction(value)
    text = inspect.getdoc(value) if documented else find_docs(home).get(name, "")
    first = " ".join((text or "").partition("\n\n")[0].split())
    sentence = re.match(r".*?[.](?= [A-Z`:]|$)", first)
    plain = re.sub(r":\w+:`([^`]+)`|``([^`]+)``", r"`\1\2`", sentence[0] if sentence else first)
    return plain.replace("|", "\\|")


def find_docs(module: str) -> dict[str, str]:
    """Return the docstrings below the values of a module."""
    docs: dict[str, str] = {}
    for node, following in pairwise(ast.parse(inspect.getsource(import_module(module))).body):
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            docs |= {target.id: str(following.value.value) for target in targets if isinstance(target, ast.Name)}
    return docs


def directive(module: str, name: str, value: Any, home: str) -> Iterator[str]:
    """Yield the lines that make Sphinx document a name."""
    if inspect.isclass(value):
        yield f".. auto{'exception' if issubclass(value, BaseException) else 'class'}:: {module}.{name}"
        yield "   :members:"
    elif inspect.isfunction(value):
        yield f".. autofunction:: {module}.{name}"
    else:
        yield f".. autodata:: {home}.{name}"
        yield "   :no-value:"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(render_page(), "utf-8", newline="\n")
