"""Sends a message to all at once, from a process that is ended when time is up."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deployment_gate.notifications.message import Message

_PROGRAM = Path(__file__).with_name("child.py")
_LAST_WORDS_S = 1.0
"""How long a process that was ended may take to let go of what it wrote."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A notifier that told nobody.

    Attributes:
        number: Which of them, from 1 on.
        scheme: Its kind of service, as its address begins.
        why: What went wrong; a part of the address may be in it.
    """

    number: int
    scheme: str
    why: str


def send(addresses: Sequence[str], message: Message, *, timeout_s: float) -> list[Failure]:
    """Send a message to each address at once; answer those that failed.

    It takes no longer than the time limit and a second, whatever the notifiers do: they run in a
    process of their own, which is ended with all that it started.

    Args:
        addresses: As Apprise understands them.
        message: What is sent.
        timeout_s: Seconds for all of them together.
    """
    told = json.dumps(
        {
            "addresses": list(addresses),
            "level": message.level,
            "title": message.title,
            "body": message.body,
        }
    )
    try:
        output, errors = _carry_out(told, timeout_s)
    except OSError as error:
        why = f"no process could be started for it ({error.strerror})"
        return [_failure(address, n, why) for n, address in enumerate(addresses, start=1)]
    answers = dict(_answer(line) for line in output.splitlines() if line.startswith('{"number"'))
    late = f"it told nothing within {timeout_s:g} s, and was ended"
    broken = errors.strip().splitlines()
    missing = f"its process failed: {broken[-1]}" if broken else late
    failures = []
    for number, address in enumerate(addresses, start=1):
        why = answers.get(number, missing)
        if why:
            failures.append(_failure(address, number, why))
    return failures


def _answer(line: str) -> tuple[int, str]:
    answer = json.loads(line)
    return int(answer["number"]), str(answer["why"])


def _failure(address: str, number: int, why: str) -> Failure:
    return Failure(number, address.partition("://")[0], why)


def _carry_out(told: str, timeout_s: float) -> tuple[str, str]:
    """What the process wrote until it ended, or was ended."""
    # Its own folder and the project's are no place to find libraries in (-P).
    command = [sys.executable, "-P", "-W", "ignore", str(_PROGRAM)]
    process = subprocess.Popen(  # noqa: S603  # this file's own program
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with process:
        try:
            return process.communicate(told, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=_LAST_WORDS_S)[0], ""
            return "", ""
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End the process with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
