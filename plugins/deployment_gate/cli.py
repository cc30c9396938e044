"""The command line beside pytest: `deployment-gate init | explain | verify | judge | ...`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import get_terminal_size
from typing import NamedTuple

from deployment_gate.environment import (
    Tier,
    environment_names,
    environment_schema,
    explain,
    load_environment,
    parse_duration,
)
from deployment_gate.errors import GateError
from deployment_gate.evidence import Redactor
from deployment_gate.judging import find_policy, judge_again, load_policy_file
from deployment_gate.reports.history import read_history
from deployment_gate.reports.history_table import history_json, history_table
from deployment_gate.reports.verdict_schema import verdict_schema
from deployment_gate.reports.verification import Demand, RefusalError, verify_reports

_PROGRAM = "deployment-gate"
_SHELLS = ("bash", "zsh", "fish")
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
    parser = command_parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks for what may come next
        import argcomplete  # noqa: PLC0415

        argcomplete.autocomplete(parser)
    options = parser.parse_args(arguments)
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


def command_parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    parser = argparse.ArgumentParser(
        prog=_PROGRAM, description="What belongs to the deployment gate beside pytest."
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
    _completes_environments(
        verify.add_argument(
            "--env",
            metavar="NAME",
            type=_given,
            help="the environment that must have been validated",
        )
    )
    _add_environments(verify)
    verify.set_defaults(command=_verify)
    judge = commands.add_parser("judge", help="judge evidence again, or that of many machines")
    judge.add_argument("evidence", metavar="EVIDENCE", type=Path, nargs="+", help="evidence.jsonl")
    _completes_environments(
        judge.add_argument(
            "--env", metavar="NAME", type=_given, required=True, help="the environment it is of"
        )
    )
    _add_environments(judge)
    judge.add_argument(
        "--policy", metavar="FILE", type=Path, help="another environment file to judge by"
    )
    judge.set_defaults(command=_judge)
    explaining = commands.add_parser("explain", help="how an environment file was understood")
    _completes_environments(
        explaining.add_argument("name", metavar="NAME", help="the environment: NAME.yaml")
    )
    _add_environments(explaining)
    explaining.set_defaults(command=_explain)
    history = commands.add_parser("history", help="the runs so far, and the success criteria")
    history.add_argument(
        "paths",
        metavar="PATH",
        type=lambda text: Path(_given(text)),
        nargs="*",
        default=[Path("reports")],
        help="files of history, or folders with one (default: reports/)",
    )
    history.add_argument("--env", metavar="NAME", type=_given, help="one environment alone")
    history.add_argument(
        "--last",
        metavar="N",
        type=_above_zero,
        default=20,
        help="how many runs of each environment are listed (default: 20)",
    )
    history.add_argument("--json", action="store_true", help="for programs")
    history.set_defaults(command=_history)
    schema = commands.add_parser("schema", help="the JSON Schema of environment files, for editors")
    schema.add_argument("--verdict", action="store_true", help="that of verdict.json instead")
    schema.set_defaults(command=_schema)
    init = commands.add_parser("init", help="write an environment file by looking at a platform")
    _add_init_options(init)
    init.set_defaults(command=_init)
    completion = commands.add_parser("completion", help="what makes a shell complete this program")
    completion.add_argument("shell", choices=_SHELLS, help="which one")
    completion.set_defaults(command=_completion)
    return parser


def _add_init_options(init: argparse.ArgumentParser) -> None:
    init.add_argument("url", metavar="URL", type=_given, help="where it is: https://shop.example")
    init.add_argument(
        "--name", metavar="NAME", type=_given, help="what to call it (default: by its host)"
    )
    init.add_argument(
        "--web", metavar="URL", type=_given, help="its web interface, where that is elsewhere"
    )
    init.add_argument("--force", action="store_true", help="replace a file that is there")
    _add_environments(init)


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


def _above_zero(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero. Write one such as 20")
    return int(text)


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


def _history(options: argparse.Namespace) -> Answer:
    history = read_history(options.paths)
    if options.env is not None:
        runs = tuple(one for one in history.entries if one.environment == options.env)
        history = replace(history, entries=runs)
    for fault in history.faults:
        sys.stderr.write(f"{_on_one_line(fault)}\n")
    show = history_json if options.json else history_table
    return Answer(
        show(history, last=options.last), exit_code=_SOMETHING_TO_MEND if history.faults else 0
    )


def _schema(options: argparse.Namespace) -> Answer:
    schema = verdict_schema() if options.verdict else environment_schema()
    return Answer(json.dumps(schema, indent=2, ensure_ascii=False))


def _init(options: argparse.Namespace) -> Answer:
    from deployment_gate.discovery import (  # noqa: PLC0415  # brings a client along
        account_of,
        demand_place,
        file_of,
        look_at,
        name_for,
        write_file,
    )
    from deployment_gate.run import USER_AGENT  # noqa: PLC0415

    directory = _environments(options)
    name = name_for(options.url, options.name)
    path = demand_place(name, directory, replaces=options.force)
    sys.stderr.write(f"Looking at {_on_one_line(options.url)}, which may take a minute ...\n")
    platform = look_at(options.url, web=options.web, user_agent=USER_AGENT)
    today = datetime.now(UTC).date()
    text = file_of(platform, name, directory, variables=os.environ, today=today)
    write_file(path, text, replaces=options.force)
    return Answer(account_of(platform, name, path, variables=os.environ))


def _completion(options: argparse.Namespace) -> Answer:
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415

    return Answer(shellcode([_PROGRAM], shell=options.shell))


def _complete_environments(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The names of environments, for shells that complete one."""
    try:
        return environment_names(_environments(parsed_args))
    except GateError:
        return []


def _completes_environments(argument: argparse.Action) -> None:
    argument.completer = _complete_environments  # type: ignore[attr-defined]  # argcomplete's way
