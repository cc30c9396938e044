"""What is done with a verdict once its files are there: history, metrics, GitHub, notifications.

Nothing here changes what was decided, a file of the contract, or the exit code: what fails is told.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.errors import GateError
from deployment_gate.reports.files import METRICS, write_atomically
from deployment_gate.reports.github import annotation_lines, append_summary
from deployment_gate.reports.history import HISTORY, append_entry, entry_of
from deployment_gate.reports.history_page import write_history_page
from deployment_gate.reports.metrics import render_metrics
from deployment_gate.reports.summary import render_summary

if TYPE_CHECKING:
    from deployment_gate.environment import Environment
    from deployment_gate.reports.account import Account
    from deployment_gate.reports.history import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Where a verdict is told of.

    Attributes:
        reports: The folder of the run's reports.
        history: The folder of the history; None where none is kept.
        variables: The process environment.
        say: Tells the person at the terminal what went wrong.
        write_line: Writes a line to the terminal as it is.
        redact: Takes the secrets out of a text.
    """

    reports: Path
    history: Path | None
    variables: Mapping[str, str]
    say: Callable[[str], None]
    write_line: Callable[[str], None]
    redact: Callable[[str], str]


def announce(account: Account, environment: Environment, audience: Audience) -> None:
    """Tell of a verdict wherever it is to be told; whatever fails is said, and changes nothing."""
    try:
        _announce(account, environment, audience)
    except KeyboardInterrupt:
        audience.say("interrupted; whoever was not told yet isn't told. The verdict stands")


def _announce(account: Account, environment: Environment, audience: Audience) -> None:
    with _told(audience, "the annotations"):
        for line in annotation_lines(account, audience.variables):
            audience.write_line(audience.redact(line))
    with _told(audience, "the step's summary"):
        append_summary(audience.redact(render_summary(account)), audience.variables)
    with _told(audience, "the history"):
        _keep(account, entry_of(account, environment, audience.redact), audience)
    with _told(audience, "the notifications"):
        _notify(account, environment, audience)


def _keep(account: Account, entry: Entry, audience: Audience) -> None:
    with _told(audience, METRICS):
        write_atomically(audience.reports / METRICS, render_metrics(account, entry))
    if audience.history is not None:
        append_entry(audience.history / HISTORY, entry)
        write_history_page(audience.history)


def _notify(account: Account, environment: Environment, audience: Audience) -> None:
    section = environment.notifications
    if section is None:
        return
    from deployment_gate.notifications import (  # noqa: PLC0415  # few environments have some
        Message,
        message_of,
        send,
    )

    report = str(audience.reports / "report.html")
    message = message_of(account, environment, report=report, variables=audience.variables)
    addresses = [one.get_secret_value() for one in getattr(section, message.level)]
    if not addresses:
        return
    clean = Message(message.level, audience.redact(message.title), audience.redact(message.body))
    failures = send(addresses, clean, timeout_s=section.timeout.total_seconds())
    for failure in failures:
        audience.say(
            f"notifications.{clean.level}, number {failure.number} ({failure.scheme}), reached "
            f"nobody: {failure.why}. See to its address, or tell them yourself; the verdict stands"
        )


@contextmanager
def _told(audience: Audience, what: str) -> Iterator[None]:
    """What fails is said, whatever it is."""
    try:
        with warnings.catch_warnings():
            # Whoever makes errors of warnings means the checks, not what comes after them.
            warnings.simplefilter("ignore")
            yield
    except GateError as error:
        audience.say(f"{error} (the verdict stands)")
    except Exception as error:  # noqa: BLE001  # nothing here may take a verdict away
        audience.say(
            f"{what} could not be written: {type(error).__name__}: {error}. The verdict stands, "
            "and so do its files"
        )
