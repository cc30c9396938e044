"""Environment files that extend one another, and tables written as lists."""

from pathlib import Path

from deployment_gate.environment.errors import (
    EnvironmentFileError,
    Problem,
    did_you_mean,
)
from deployment_gate.environment.yaml_source import Key, Node, read_yaml, twice

# What environments extend; no environment by itself.
BASE = "base"
# The runbook writes these tables as maps in one place and as lists of one-key maps in another.
TABLES = (
    "health_endpoints",
    "performance_targets",
    "rollback_triggers",
    "monitoring_metrics",
    "alert_response",
)
_TABLE_DEPTH = 2


def file_names(directory: Path) -> list[str]:
    """Answer the names of all environment files of a directory, `base` included, sorted."""
    return sorted(file.stem for file in directory.glob("*.yaml") if file.is_file())


def read_chain(name: str, directory: Path) -> tuple[Node, list[Problem]]:
    """Read an environment's file and all that it extends, merged, and what is wrong in them."""
    return _read_chain(name, directory, ())


def _read_chain(
    name: str, directory: Path, extended_by: tuple[str, ...]
) -> tuple[Node, list[Problem]]:
    path = directory / f"{name}.yaml"
    root, problems = read_yaml(path)
    if not isinstance(root.value, dict):
        message = "must be a map of sections. Write `health_endpoints:` and so on"
        raise EnvironmentFileError([Problem(root.position, (), message)])
    entries = dict(root.value)
    extends = entries.pop("extends", None)
    own = Node(_with_tables_as_maps(entries, problems), root.position)
    if extends is None:
        return own, problems
    chain = (*extended_by, name)
    parent = extends.value
    if not isinstance(parent, str):
        raise EnvironmentFileError(
            [*problems, Problem(extends.position, ("extends",), "must be the name of a file here")]
        )
    if parent in chain:
        circle = " -> ".join((*chain[chain.index(parent) :], parent))
        message = f"extends itself in a circle: {circle}. Remove one `extends` of these"
        raise EnvironmentFileError([*problems, Problem(extends.position, ("extends",), message)])
    known = [known for known in file_names(directory) if known != name]
    if parent not in known:
        message = (
            f'no file "{parent}.yaml" in {directory}.{did_you_mean(parent, known)} '
            f"There are: {', '.join(known) or 'none'}"
        )
        raise EnvironmentFileError([*problems, Problem(extends.position, ("extends",), message)])
    inherited, inherited_problems = _read_chain(parent, directory, chain)
    return merge(inherited, own), [*inherited_problems, *problems]


def merge(inherited: Node, own: Node) -> Node:
    """Lay a file's own values over inherited ones.

    Maps merge key by key, all else replaces, `null` removes what is inherited. Each value keeps
    the position it came from.
    """
    if not isinstance(inherited.value, dict) or not isinstance(own.value, dict):
        return own
    merged = dict(inherited.value)
    for key, node in own.value.items():
        if key not in merged:
            merged[key] = node
        elif node.value is None:
            del merged[key]
        else:
            merged[key] = merge(merged[key], node)
    return Node(merged, own.position)


def _with_tables_as_maps(entries: dict[str, Node], problems: list[Problem]) -> dict[str, Node]:
    return {
        key: _as_map(node, (key,), problems) if key in TABLES else node
        for key, node in entries.items()
    }


def _as_map(node: Node, path: Key, problems: list[Problem]) -> Node:
    value = node.value
    if isinstance(value, tuple):
        value = _one_key_maps(value, path, problems)
    if isinstance(value, dict) and len(path) < _TABLE_DEPTH:
        value = {key: _as_map(item, (*path, key), problems) for key, item in value.items()}
    return Node(value, node.position)


def _one_key_maps(items: tuple[Node, ...], path: Key, problems: list[Problem]) -> dict[str, Node]:
    merged: dict[str, Node] = {}
    for item in items:
        entries = item.value if isinstance(item.value, dict) else {}
        if len(entries) != 1:
            message = "each entry of this list must be one `- key: value`. Or write a map"
            problems.append(Problem(item.position, path, message))
        for key, node in entries.items():
            if key in merged:
                problems.append(Problem(node.position, (*path, key), twice(merged[key].position)))
            else:
                merged[key] = node
    return merged
