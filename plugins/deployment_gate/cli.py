"""The command line beside pytest: `deployment-gate verify | judge | explain | schema`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import get_terminal_size
from typing import NamedTuple

from deployment_gate.environment import (
    Tier,
    environment_schema,
    explain,
    load_environment,
    parse_duration,
)
from deployment_gate.errors import GateError
from deployment_gate.evidence import Redactor
from deployment_gate.judging import find_policy, judge_again, load_policy_file
from deployment_gate.reports.verification import Demand, RefusalError, verify_reports

_SOMETHING_TO_MEND = 2


class Answer(NamedTuple):
    """What a command prints, and the exit code."""

    text: str
    exit_code: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: The command line without the program; None takes the process's own.

    Returns:
        0, or what the command says; 2 when there is something to mend.
    """
    options = _parser().parse_args(arguments)
    try:
        with _without_collector():
            answer: Answer = options.command(options)
    except RefusalError as refusal:
        sys.stderr.write(f"{_on_one_line(str(refusal))}\n")
        return refusal.exit_code
    except GateError as error:
        sys.stderr.write(f"{error}\n")
        return _SOMETHING_TO_MEND
    sys.stdout.write(f"{answer.text.rstrip()}\n")
    return answer.exit_code


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's collector would walk again and again through evidence that all stays: a third."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deployment-gate", description="What belongs to the deployment gate beside pytest."
    )
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser("verify", help="whether a run's reports are a reason to promote")
    verify.add_argument("reports", metavar="DIR", type=Path, help="where the run wrote")
    verify.add_argument(
        "--release", metavar="V", type=_given, required=True, help="the release to be promoted"
    )
    verify.add_argument(
        "--tier",
        choices=[tier.value for tier in Tier],
        default=Tier.SMOKE.value,
        help="what must have been validated, at least (default: smoke)",
    )
    verify.add_argument(
        "--max-age",
        metavar="AGE",
        type=_duration,
        default=timedelta(minutes=30),
        help="how long ago the run may have ended (default: 30m)",
    )
    verify.add_argument(
        "--env", metavar="NAME", type=_given, help="the environment that must have been validated"
    )
    _add_environments(verify)
    verify.set_defaults(command=_verify)
    judge = commands.add_parser("judge", help="judge evidence again, or that of many machines")
    judge.add_argument("evidence", metavar="EVIDENCE", type=Path, nargs="+", help="evidence.jsonl")
    judge.add_argument(
        "--env", metavar="NAME", type=_given, required=True, help="the environment it is of"
    )
    _add_environments(judge)
    judge.add_argument(
        "--policy", metavar="FILE", type=Path, help="another environment file to judge by"
    )
    judge.set_defaults(command=_judge)
    explaining = commands.add_parser("explain", help="how an environment file was understood")
    explaining.add_argument("name", metavar="NAME", help="the environment: NAME.yaml")
    _add_environments(explaining)
    explaining.set_defaults(command=_explain)
    schema = commands.add_parser("schema", help="the JSON Schema of environment files, for editors")
    schema.set_defaults(command=_schema)
    return parser


def _add_environments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--env-dir",
        metavar="DIR",
        type=lambda text: Path(_given(text)),
        help="where the environment files are (default: environments/)",
    )


def _environments(options: argparse.Namespace) -> Path:
    return options.env_dir or Path("environments")


def _given(text: str) -> str:
    """An unset variable of a pipeline must not ask for something else than it means."""
    if not text:
        raise argparse.ArgumentTypeError("is empty. Give it a value, or leave it out")
    return text


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _on_one_line(text: str) -> str:
    """`text` without what would begin a line or control the terminal: a target may have sent it."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _verify(options: argparse.Namespace) -> Answer:
    demand = Demand(
        release=options.release,
        tier=Tier(options.tier),
        max_age=options.max_age,
        environment=options.env,
        is_to_be_judged=bool(options.env or options.env_dir),
    )
    find = partial(find_policy, directory=_environments(options), variables=os.environ)
    return Answer(verify_reports(options.reports, demand, now=datetime.now(UTC), find_policy=find))


def _judge(options: argparse.Namespace) -> Answer:
    environment = (
        load_policy_file(options.policy, variables=os.environ)
        if options.policy
        else load_environment(options.env, _environments(options), variables=os.environ)
    )
    opinion = judge_again(
        options.evidence, environment, name=options.env, width=get_terminal_size().columns
    )
    return Answer(opinion.text, opinion.exit_code)


def _explain(options: argparse.Namespace) -> Answer:
    environment = load_environment(options.name, _environments(options), variables=os.environ)
    return Answer(Redactor(environment.secrets).redact(explain(environment)))


def _schema(_options: argparse.Namespace) -> Answer:
    return Answer(json.dumps(environment_schema(), indent=2, ensure_ascii=False))
