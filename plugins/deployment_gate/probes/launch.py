"""Starts an environment's target when it isn't running yet, and stops what it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from http.client import HTTPException
from typing import IO, TYPE_CHECKING, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from deployment_gate.errors import GateError
from deployment_gate.probes.reach import accepts_connections

if TYPE_CHECKING:
    from pathlib import Path

    from deployment_gate.environment import Launch

_POLL_S = 0.02
_STOP_S = 10.0
_CHILDREN_S = 1.0
_SHOWN_LINES = 15
_PR_SET_PDEATHSIG = 1
# Without this machine's proxy, which answers for targets that aren't there.
_ASK = build_opener(ProxyHandler({}))


class LaunchError(GateError):
    """The target could not be started, or didn't get ready in time."""


class LaunchedTarget:
    """A target that this run started, and ends."""

    def __init__(self, launch: Launch, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self._launch = launch
        self._process = process
        self._output = output

    @classmethod
    def start(cls, launch: Launch, *, directory: Path) -> Self | None:
        """Start the target in `directory`, or None where one runs already.

        One that accepts connections is used as it is, ready or not: whether it is well is what
        the run is about to find out.

        Raises:
            LaunchError: The command can't be started.
        """
        if accepts_connections(launch.ready):
            return None
        command = shlex.split(launch.command) if isinstance(launch.command, str) else launch.command
        if command[0] in {"python", "python3"}:
            # The interpreter of this run, whose packages the command may need.
            command = [sys.executable, *command[1:]]
        output = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        try:
            process = subprocess.Popen(  # noqa: S603  # the environment file is the user's own
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        except OSError as error:
            output.close()
            raise LaunchError(
                f"launch.command: {shlex.join(command)}: can't be started ({error.strerror}). "
                "Write a command that is found from the project's folder."
            ) from error
        return cls(launch, process, output)

    def wait_until_ready(self) -> None:
        """Return once `ready` answers at all.

        Raises:
            LaunchError: The command ended, or nothing answered within `timeout`.
        """
        limit_s = self._launch.timeout.total_seconds()
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise LaunchError(
                    f"launch.command ended with exit code {self._process.returncode} before "
                    f"{self._launch.ready} answered. Its last lines:\n{self._last_lines()}"
                )
            if _answers(self._launch.ready):
                return
            time.sleep(_POLL_S)
        raise LaunchError(
            f"launch.ready: {self._launch.ready} did not answer within {limit_s:g} s. "
            f"Give `launch.timeout` more, or mend the command. Its last lines:\n"
            f"{self._last_lines()}"
        )

    def stop(self) -> None:
        """End the target and what it started, first politely."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_S)
        self._wait_for_its_children()
        # What is still there ignores a polite request.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def _wait_for_its_children(self) -> None:
        """They may take a moment longer than the command itself."""
        deadline = time.monotonic() + _CHILDREN_S
        while self._process.returncode is not None and time.monotonic() < deadline:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(_POLL_S)

    def _last_lines(self) -> str:
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:]) or "  (none)"


def _end_with_parent() -> None:
    """Linux ends the target when this run is killed outright (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _answers(url: str) -> bool:
    if not accepts_connections(url):
        return False
    try:
        with _ASK.open(url, timeout=2):
            return True
    except HTTPError:
        return True
    except (OSError, HTTPException):
        return False
