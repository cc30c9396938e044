"""Writes docs/reference.md from the code: `python scripts/reference.py > docs/reference.md`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from inspect import getdoc
from typing import Any

from _pytest.config.argparsing import Parser
from _pytest.fixtures import FixtureFunctionDefinition

from deployment_gate import (
    api_fixtures,
    data_fixtures,
    fixtures,
    load_fixtures,
    plugin,
    web_fixtures,
)
from deployment_gate.cli import command_parser
from deployment_gate.collection import MARKERS
from deployment_gate.environment import environment_schema
from deployment_gate.reports.account import EXIT_CODES
from deployment_gate.reports.verdict_schema import verdict_schema
from deployment_gate.security_fixtures import MODULES

_FIXTURES = (fixtures, api_fixtures, data_fixtures, web_fixtures, load_fixtures, *MODULES)
_INTRODUCTION = """# Reference

Made from the code by `make schema`. What it means in use, the other pages tell:
[environment files](environments.md), [verdicts](verdict.md), [APIs](api.md),
[pages](frontend.md), [load](load.md), [security](security.md).
"""


def reference() -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        *_options(),
        *_markers(),
        *_fixtures(),
        *_commands(),
        *_exit_codes(),
        *_environment(environment_schema()),
        *_verdict(verdict_schema()),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _options() -> Iterator[str]:
    parser = Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    group = parser.getgroup("deployment gate")
    rows = []
    for option in group.options:
        told = option.attrs()
        name = " ".join(filter(None, [option.names()[-1], told.get("metavar")]))
        rows.append((f"`{name}`", told.get("help", "")))
    yield "## Options of pytest\n"
    yield _table(("option", "what it does"), rows)


def _markers() -> Iterator[str]:
    yield "## Markers of checks\n"
    rows = [marker.partition(":")[::2] for marker in MARKERS]
    yield _table(("marker", "means"), [(f"`{name}`", what.strip()) for name, what in rows])


def _fixtures() -> Iterator[str]:
    yield "## Fixtures of checks\n"
    rows = []
    for module in _FIXTURES:
        for name, value in vars(module).items():
            own = isinstance(value, FixtureFunctionDefinition)
            if own and not name.startswith("_"):
                first = (getdoc(value._get_wrapped_function()) or "").partition("\n\n")[0]  # noqa: SLF001
                rows.append((f"`{name}`", " ".join(first.split())))
    yield _table(("fixture", "what it is"), sorted(rows))


def _commands() -> Iterator[str]:
    yield "## `deployment-gate`\n"
    (commands,) = (
        action
        for action in command_parser()._actions  # noqa: SLF001  # argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    )
    helps = {one.dest: one.help for one in commands._choices_actions}  # noqa: SLF001
    for name, parser in commands.choices.items():
        told = str(helps.get(name, ""))
        yield f"### `{name}`\n\n{told[:1].upper()}{told[1:]}.\n"
        rows = [
            (f"`{_usage(action)}`", action.help or "")
            for action in parser._actions  # noqa: SLF001
            if action.dest != "help"
        ]
        if rows:
            yield _table(("argument", "what it is"), rows)


def _usage(action: argparse.Action) -> str:
    names = action.option_strings[-1:]
    takes = action.nargs != 0
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = choices or str(action.metavar or action.dest.upper())
    return " ".join([*names, *([value] if takes else [])])


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes of a run\n"
    rows = [(str(code), str(decision)) for decision, code in EXIT_CODES.items()]
    rows.append(("2 to 6", "hold: pytest's own, for what kept it from being a whole run"))
    yield _table(("code", "verdict"), rows)


def _environment(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "## Environment files\n"
    yield _keys(schema)
    for name, section in schema["$defs"].items():
        if section.get("properties"):
            yield f"### {name}\n\n{section.get('description', '')}\n"
            yield _keys(section)


def _verdict(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "## `verdict.json`\n"
    yield _keys(schema)


def _keys(section: Mapping[str, Any]) -> str:
    required = section.get("required", ())
    return _table(
        ("key", "default", "what it is"),
        [
            (f"`{key}`", _default(entry, is_required=key in required), entry.get("description", ""))
            for key, entry in section["properties"].items()
        ],
    )


def _default(entry: Mapping[str, Any], *, is_required: bool) -> str:
    if is_required:
        return "required"
    value = entry.get("default")
    return "" if value in (None, "", [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
