"""Read YAML that a person or another program wrote, of which anything may be wrong."""

from __future__ import annotations

from typing import Any

_MOST = 200_000  # values in one text: aliases multiply, so a few lines may stand for more than any memory holds
_DEEPEST = 60  # mappings and lists inside one another


class InvalidYaml(ValueError):
    """Text that is no YAML, or no plain settings; ``line`` is the number of the line if it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def parse_yaml(text: str) -> Any:
    """Return the value of a YAML text: mappings, lists and plain values.

    Raises InvalidYaml for anything that no settings file has: a key that is set twice, of which YAML would keep the
    last one, a value that contains itself, very many values.
    """
    import yaml

    class NamesOnce(yaml.SafeLoader):
        """Rejects keys that are set twice; TOML rejects them too."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            names = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in names:
                        raise InvalidYaml(f"'{key.value}' is set twice", key.start_mark.line + 1)
                    names.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        value = yaml.load(text, NamesOnce)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or " ".join(str(error).split())
        raise InvalidYaml(f"invalid YAML: {said}", mark.line + 1 if mark else None) from None
    except InvalidYaml:
        raise
    except ValueError as error:  # a value that YAML takes for a date or a number
        raise InvalidYaml(f"a value looks like a date or a number, but {error}; quote it") from None
    except (TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        # the library passes on what the types of its values raise
        raise InvalidYaml(f"invalid YAML: {' '.join(str(error).split())}") from None
    _count(value, 0, 0)
    return value


def _count(value: Any, before: int, depth: int) -> int:
    """Return how many values there are up to the end of this one."""
    if depth > _DEEPEST:
        raise InvalidYaml("a value contains itself, or values are nested too deep")
    before += 1
    if before > _MOST:
        raise InvalidYaml(f"has more than {_MOST} values")
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str | int | float | None):
                raise InvalidYaml(f"the key {key!r} is no text")
            before = _count(each, before, depth + 1)
    elif isinstance(value, list | set | tuple):
        for each in value:
            before = _count(each, before, depth + 1)
    return before
