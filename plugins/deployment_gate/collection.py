"""What pytest collected: its scope, and what the environment has a use and leave for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from deployment_gate.environment import Category, Consecutive, Tier
from deployment_gate.errors import GateError
from deployment_gate.evidence import PlannedCheck, Redactor, Severity

if TYPE_CHECKING:
    from deployment_gate.environment import Environment

LEAVES = ("writes", "load", "burst")
"""Markers of checks that do more than read, each of which the environment must allow."""

MARKERS = (
    "smoke: carried out after each deploy; the whole tier takes a minute at most when healthy.",
    *(
        f"{category}: the checks under validation/{category}/; the folder sets it."
        for category in Category
    ),
    "environments(name, ...): only for these environments.",
    "severity(level): critical holds when it fails (the default); warning and info are reported.",
    "trigger(name): its failures in a row count for that trigger, not for its category's.",
    "writes: changes data; needs the environment's leave (`allow: {writes: true}`).",
    "load: makes load; needs the environment's leave (`allow: {load: true}`).",
    "burst: sends many requests at once; needs the environment's leave (`allow: {burst: true}`).",
    "needs(entry, ...): only where the environment has these entries, `api.login` say; {name} in "
    + "one is what the check's parameter of that name is, --option an option of the run, "
    + "`library NAME` an optional library.",
    "provokes: sends what must be refused; how it is answered counts for no rate and no speed.",
)
"""pytest's markers, as `--markers` lists them."""

_LIBRARY = "library "
"""So a need begins that is a library's name."""

_WORDS_OF_THE_GRAMMAR = {"and", "or", "not", "True", "False", "None"}


class SelectionError(GateError):
    """A marker or a selection that names something that isn't there."""


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the validation was selected.

    Attributes:
        tier: `smoke` or `full`, when a whole tier was.
        selection: The words of the command line, when it was less.
    """

    tier: str | None
    selection: str | None


def scope_of(config: pytest.Config) -> Scope:
    """What the command line selects: a whole tier, or less than one."""
    option = config.option
    expression = " ".join(option.markexpr.split())
    narrower = [
        *([f"-m {expression}"] if expression not in {"", Tier.SMOKE} else []),
        *([f"-k {option.keyword}"] if option.keyword else []),
        *_paths(config),
        *(f"--deselect {name}" for name in option.deselect or ()),
        *(f"--ignore {name}" for name in getattr(option, "ignore", None) or ()),
        *(f"--ignore-glob {name}" for name in getattr(option, "ignore_glob", None) or ()),
        *(f"-o {setting}" for setting in option.override_ini or () if _is_collecting(setting)),
        *([f"-c {option.inifilename}"] if option.inifilename else []),
        *(["--noconftest"] if option.noconftest else []),
        *(["--approve-screenshots"] if option.approve_screenshots else []),
        *(["--last-failed"] if getattr(option, "lf", False) else []),
        *(["--stepwise"] if getattr(option, "stepwise", False) else []),
    ]
    if narrower:
        return Scope(None, ", ".join(narrower).removeprefix("-m "))
    return Scope(str(Tier.SMOKE if expression else Tier.FULL), None)


def _paths(config: pytest.Config) -> list[str]:
    """The arguments that are narrower than all the checks."""
    whole = {checks_directory(config), config.rootpath}
    return [
        argument
        for argument in config.args
        if (config.invocation_params.dir / argument).resolve() not in whole
    ]


def _is_collecting(setting: str) -> bool:
    """Whether a setting of the command line may hide checks from pytest."""
    return setting.startswith(("python_", "norecursedirs", "testpaths", "addopts"))


def checks_directory(config: pytest.Config) -> Path:
    """The folder that holds the checks."""
    return config.rootpath / "validation"


def refuse_unknown_markers(expression: str, known: Iterable[str]) -> None:
    """A misspelt marker would select nothing and look green.

    Raises:
        SelectionError: `-m` names a marker that isn't registered.
    """
    names = sorted({re.split(r"[(:]", marker, maxsplit=1)[0].strip() for marker in known})
    # Keyword arguments of markers, as in -m "severity(level='info')", are no marker names.
    bare = re.sub(r"\([^()]*=[^()]*\)", "", expression)
    for word in re.findall(r"[^\W\d]\w*", bare):
        if word not in names and word not in _WORDS_OF_THE_GRAMMAR:
            raise SelectionError(f"-m {expression!r}: {_unknown('marker', word, names)}")


def prepare(items: Iterable[pytest.Item], environment: Environment, redactor: Redactor) -> None:
    """Mark each check with its category, and bound its time.

    Raises:
        SelectionError: A check belongs to no category, or bears a secret in its id.
    """
    for item in items:
        if redactor.finds(item.nodeid):
            raise SelectionError(
                f"{redactor.redact(item.nodeid)}: the id of a check holds a secret, and ids are "
                'reported. Give the parameter another one: pytest.param(..., id="...")'
            )
        item.add_marker(str(category_of(item)))
        own = item.get_closest_marker("timeout")
        limit_s = next(iter(own.args), own.kwargs.get("timeout")) if own else None
        if limit_s is None:
            limit_s = item.config.option.timeout or environment.check_timeout.total_seconds()
        # By signal: the thread method ends the process, and the reports with it.
        item.add_marker(pytest.mark.timeout(limit_s, method="signal"), append=False)


def whole_tier(items: Sequence[pytest.Item]) -> set[str]:
    """The ids of all checks that a run of a whole tier must keep; none for a selection."""
    tier = scope_of(items[0].config).tier if items else None
    return {item.nodeid for item in items if tier == Tier.FULL or (tier and is_smoke(item))}


def is_smoke(item: pytest.Item) -> bool:
    """Whether a check belongs to the smoke tier."""
    return item.get_closest_marker(Tier.SMOKE) is not None


def plan_of(
    items: Iterable[pytest.Item], environment: Environment, known: Sequence[str]
) -> list[PlannedCheck]:
    """What is to become of each collected check in this environment.

    Args:
        items: The collected checks.
        environment: Where they would run.
        known: The names of all environments.

    Raises:
        SelectionError: A marker names something that isn't there.
    """
    plan = []
    for item in items:
        category = category_of(item)
        plan.append(
            PlannedCheck(
                id=item.nodeid,
                category=category,
                severity=_severity(item),
                subject=_subject(item),
                trigger=_trigger(item, environment),
                left_out=_left_out(item, environment, category, known),
            )
        )
    return plan


def category_of(node: pytest.Item | pytest.Collector) -> Category:
    """The category whose folder a check or a file lies in, or whose marker it bears.

    Raises:
        SelectionError: It has neither.
    """
    for part in reversed(node.path.parts[:-1]):
        if part in set(Category):
            return Category(part)
    for category in Category:
        if node.get_closest_marker(category):
            return category
    raise SelectionError(
        f"{node.nodeid}: belongs to no category. Put the file into validation/CATEGORY/, or mark "
        f"the check with one of: {', '.join(Category)}"
    )


def _severity(item: pytest.Item) -> Severity:
    marker = item.get_closest_marker("severity")
    if marker is None:
        return Severity.CRITICAL
    level = str(marker.args[0] if marker.args else marker.kwargs.get("level", ""))
    if level not in set(Severity):
        raise SelectionError(f"{item.nodeid}: severity: {_unknown('level', level, list(Severity))}")
    return Severity(level)


def _trigger(item: pytest.Item, environment: Environment) -> str | None:
    marker = item.get_closest_marker("trigger")
    if marker is None:
        return None
    name = str(marker.args[0] if marker.args else marker.kwargs.get("name", ""))
    trigger = environment.rollback_triggers.get(name)
    if trigger is None:
        known = [*environment.rollback_triggers]
        raise SelectionError(f"{item.nodeid}: trigger: {_unknown('trigger', name, known)}")
    if not isinstance(trigger.condition, Consecutive):
        raise SelectionError(
            f"{item.nodeid}: trigger: {name!r} is on a share of answers, and a check's attempts "
            'are counted in a row. Name one such as "Check fails for 2 consecutive attempts"'
        )
    return name


def _subject(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    subject = callspec.params.get("health_endpoint") if callspec else None
    # Where there is no endpoint, pytest makes one check all the same, of a parameter of its own.
    return subject if isinstance(subject, str) else None


def _left_out(
    item: pytest.Item, environment: Environment, category: Category, known: Sequence[str]
) -> str | None:
    marker = item.get_closest_marker("environments")
    if marker is not None:
        for name in marker.args:
            if name not in known:
                raise SelectionError(
                    f"{item.nodeid}: environments: {_unknown('environment', name, known)}"
                )
        if environment.name not in marker.args:
            return f"only for {', '.join(marker.args)}"
    for leave in LEAVES:
        if item.get_closest_marker(leave) and not getattr(environment.allow, leave):
            return f"{leave}: {environment.name} gives no leave for it"
    if not environment.covers(category):
        return f"{environment.name} has no section for it"
    return _lacking(item, environment)


def _lacking(item: pytest.Item, environment: Environment) -> str | None:
    """The first entry that the check needs and the environment lacks."""
    callspec = getattr(item, "callspec", None)
    given = callspec.params if callspec else {}
    # A check that would be repeated for something that there is none of has no text for it.
    names = {name: value if isinstance(value, str) else "" for name, value in given.items()}
    for marker in item.iter_markers("needs"):
        for entry in marker.args:
            if entry.startswith("--"):
                if not item.config.getoption(entry):
                    return f"no {entry} was given"
                continue
            if entry.startswith(_LIBRARY):
                library = entry.removeprefix(_LIBRARY)
                if find_spec(library) is None:
                    return f"{library} isn't installed"
                continue
            # Each part by itself: a name may have a dot in it.
            path = [*takewhile(bool, (part.format(**names) for part in entry.split(".")))]
            if len(path) <= entry.count(".") or not _entry_of(environment, path, item):
                return f"{environment.name} has no `{'.'.join(path)}`"
    return None


def _entry_of(environment: Environment, path: Sequence[str], item: pytest.Item) -> object:
    """What stands in an environment under a path of names.

    Raises:
        SelectionError: Environments have no such entry.
    """
    value: object = environment
    for name in path:
        if value is None:
            return None
        if isinstance(value, Mapping):
            value = value.get(name)
        elif hasattr(value, name):
            value = getattr(value, name)
        else:
            known = sorted(type(value).model_fields) if isinstance(value, BaseModel) else []
            raise SelectionError(f"{item.nodeid}: needs: {_unknown('entry', name, known)}")
    return value


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"Did you mean {' or '.join(repr(str(one)) for one in near)}? " if near else ""
    return f"there is no {kind} {name!r}. {meant}Known: {', '.join(known)}"
