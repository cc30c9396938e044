"""From the files of a directory to one typed environment, or to all that is wrong with them."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from deployment_gate.environment.complaints import complaints
from deployment_gate.environment.errors import EnvironmentFileError, Problem, did_you_mean
from deployment_gate.environment.inheritance import BASE, file_names, read_chain
from deployment_gate.environment.model import Environment, Sources
from deployment_gate.environment.references import broken_references
from deployment_gate.environment.variables import secrets_in, substitute
from deployment_gate.environment.yaml_source import Key, Node


def environment_names(directory: Path) -> list[str]:
    """Answer the names of a directory's environments, sorted; `base` is no environment.

    Raises:
        EnvironmentFileError: There is no such directory.
    """
    if not directory.is_dir():
        raise EnvironmentFileError(
            [f"{directory}: no such directory of environments. Name yours with --env-dir DIR"]
        )
    return [name for name in file_names(directory) if name != BASE]


def load_environment(name: str, directory: Path, *, variables: Mapping[str, str]) -> Environment:
    """Read an environment's file, all that it extends, and its variables.

    Args:
        name: The stem of its file.
        directory: Where the files are.
        variables: The process environment, from which `${NAME}` is taken.

    Raises:
        EnvironmentFileError: It can't be used; the message lists every problem.
    """
    names = environment_names(directory)
    if name not in names:
        raise EnvironmentFileError([_unknown(name, directory, names)])
    tree, problems = read_chain(name, directory)
    secrets = {
        secret
        for path, node in tree.walk()
        if isinstance(node.value, str)
        for secret in secrets_in(node.value, variables, whatever_its_name=_is_private(path))
    }
    tree, unset = _substituted(tree, variables)
    problems = [*problems, *unset]
    positions = {path: node.position for path, node in tree.walk()}
    sources = Sources(positions, frozenset(secrets))
    if ("name",) in sources.positions:
        message = f"the name of an environment is its file's: {name}. Remove this key"
        problems.append(Problem(sources.positions[("name",)], ("name",), message))
    data = tree.plain()
    try:
        environment = Environment.model_validate(
            {**data, "name": name} if isinstance(data, dict) else data, context=sources
        )
    except ValidationError as error:
        without_value = {problem.path for problem in unset}
        found = [item for item in complaints(error, sources) if item.path not in without_value]
        raise EnvironmentFileError(_in_order([*problems, *found])) from error
    problems += [
        Problem(sources.nearest(path) or tree.position, path, message)
        for path, message in broken_references(environment)
    ]
    if problems:
        raise EnvironmentFileError(_in_order(problems))
    return environment


def _is_private(path: Key) -> bool:
    """Whether what stands there shows who somebody is, so that every variable in it is secret."""
    if path[:2] in {("web", "sign_in"), ("web", "sign_out")}:
        return bool({"fill", "open"}.intersection(path))
    return path[:1] == ("api",) and any(
        path[1:2] == (section,) and set(path[2:]) & {"headers", "body", "form", "send"}
        for section in ("login", "refresh", "journeys")
    )


def _substituted(
    node: Node, variables: Mapping[str, str], path: Key = ()
) -> tuple[Node, list[Problem]]:
    """Replace the variables below a node; the problems stand at the paths that lack a value."""
    value, problems = node.value, []
    if isinstance(value, str):
        value, faults = substitute(value, variables)
        problems = [Problem(node.position, path, fault) for fault in faults]
    elif isinstance(value, dict):
        entries = {}
        for key, item in value.items():
            entries[key], found = _substituted(item, variables, (*path, key))
            problems += found
        value = entries
    elif isinstance(value, tuple):
        items = []
        for index, item in enumerate(value):
            new, found = _substituted(item, variables, (*path, str(index)))
            items.append(new)
            problems += found
        value = tuple(items)
    return Node(value, node.position), problems


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.position.file, problem.position.line))


def _unknown(name: str, directory: Path, names: list[str]) -> str:
    if name == BASE:
        reason = f"{BASE}.yaml is only extended by others."
    elif (directory / f"{name}.yml").is_file():
        reason = f"rename {name}.yml to {name}.yaml."
    else:
        reason = did_you_mean(name, names).strip() or f"no such file in {directory}."
    return (
        f'"{name}" is no environment: {reason} '
        f"There are: {', '.join(names) or f'none in {directory}'}"
    )
