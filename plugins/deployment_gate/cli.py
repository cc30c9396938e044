"""The command line beside pytest: `deployment-gate explain`, `deployment-gate schema`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deployment_gate.environment import environment_schema, explain, load_environment
from deployment_gate.errors import GateError
from deployment_gate.evidence import Redactor


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: The command line without the program; None takes the process's own.

    Returns:
        0, or 2 when there is something to mend.
    """
    parser = argparse.ArgumentParser(
        prog="deployment-gate", description="What belongs to the deployment gate beside pytest."
    )
    commands = parser.add_subparsers(required=True)
    explaining = commands.add_parser("explain", help="how an environment file was understood")
    explaining.add_argument("name", metavar="NAME", help="the environment: NAME.yaml")
    explaining.add_argument(
        "--env-dir",
        metavar="DIR",
        type=Path,
        default=Path("environments"),
        help="where the environment files are (default: environments/)",
    )
    explaining.set_defaults(command=_explain)
    schema = commands.add_parser("schema", help="the JSON Schema of environment files, for editors")
    schema.set_defaults(command=_schema)
    options = parser.parse_args(arguments)
    try:
        text = options.command(options)
    except GateError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{text.rstrip()}\n")
    return 0


def _explain(options: argparse.Namespace) -> str:
    environment = load_environment(options.name, options.env_dir, variables=os.environ)
    return Redactor(environment.secrets).redact(explain(environment))


def _schema(_options: argparse.Namespace) -> str:
    return json.dumps(environment_schema(), indent=2, ensure_ascii=False)
