"""Locust, as processes of its own: started, listened to, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from deployment_gate.environment.load_sections import HostPort
from deployment_gate.errors import GateError
from deployment_gate.load.plan import (
    OUTPUT_VARIABLE,
    PASSWORD_VARIABLE,
    USERNAME_VARIABLE,
    VARIABLE,
    LoadPlan,
)
from deployment_gate.load.seconds import LoadSecond

_LOOPBACK = "127.0.0.1"
_START_S = 30.0
_HANGS_S = 10.0
_TERM_S = 3.0
_KEPT = 4000
# A second of many endpoints, each with two wide histograms.
_LONGEST_LINE = 16 * 1024 * 1024


class GeneratorError(GateError):
    """The load generator died, hangs, or says what can't be understood."""


class LoadGenerator:
    """The processes that make a load.

    Args:
        plan: The load.
        locustfile: What its users do.
        workers: How many processes on this machine make it.
        expect_workers: How many on other machines do, too. They are waited for.
        master_bind: Where those report to.
        username: Who signs in.
        password: What with.
        environ: The processes' environment; None: this one's.
        cwd: Where they run, from which the locustfile imports; None: here.
        wait_s: How long workers on other machines are waited for, in seconds.
        starts_s: How long it takes at most until its first second, in seconds.
        hangs_s: After how many seconds without a further one it hangs.
    """

    def __init__(  # noqa: PLR0913 -- each is a setting of its own
        self,
        plan: LoadPlan,
        locustfile: Path,
        *,
        workers: int = 1,
        expect_workers: int = 0,
        master_bind: HostPort | None = None,
        username: str | None = None,
        password: str | None = None,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        wait_s: float = 300.0,
        starts_s: float = _START_S,
        hangs_s: float = _HANGS_S,
    ) -> None:
        self._plan = plan
        self._locustfile = locustfile
        self._workers = workers
        self._expect_workers = expect_workers
        self._bind = master_bind
        self._cwd = cwd
        self._first_s = starts_s + (wait_s if expect_workers else 0)
        self._wait_s = max(wait_s if expect_workers else _START_S, 1)
        self._hangs_s = hangs_s
        self._environ = {
            **(os.environ if environ is None else environ),
            "PYTHONUNBUFFERED": "1",
        }
        for name, value in ((USERNAME_VARIABLE, username), (PASSWORD_VARIABLE, password)):
            if value is not None:
                self._environ[name] = value
        self._processes: list[asyncio.subprocess.Process] = []
        self._listening: list[asyncio.Task[None]] = []
        self._said = ""

    @property
    def last_output(self) -> str:
        """The end of what the processes printed."""
        return self._said.strip()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run: first the one that says what is seen, then its workers."""
        return tuple(process.pid for process in self._processes if process.returncode is None)

    async def seconds(self) -> AsyncGenerator[LoadSecond, None]:
        """Start the load, and tell of each of its seconds; whatever happens, end it.

        Raises:
            GeneratorError: It died, hangs, or says what can't be understood.
        """
        reading, writing = os.pipe()
        try:
            try:
                await self._start(writing)
            finally:
                os.close(writing)
            reader, transport = await _reader_of(reading)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(reading)
            await self.stop()
            raise
        try:
            last = -1
            while line := await self._next_line(reader, is_first=last < 0):
                second = self._read(line)
                last = second.second
                yield second
            await self._see_its_end(last)
        finally:
            transport.close()
            await self.stop()

    async def stop(self) -> None:
        """End all processes within seconds."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._processes:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.send_signal(signal_number)
            if signal_number == signal.SIGKILL and self._processes:
                # What they may have started themselves is of their group.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._processes[0].pid, signal_number)
            ends = [asyncio.ensure_future(process.wait()) for process in self._processes]
            if ends:
                await asyncio.wait(ends, timeout=_TERM_S)
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)

    async def _start(self, output: int) -> None:
        common = [sys.executable, "-m", "locust", "-f", str(self._locustfile), "--headless"]
        common += ["--exit-code-on-error", "0", "--only-summary"]
        plan = {VARIABLE: self._plan.to_json(), OUTPUT_VARIABLE: str(output)}
        if self._workers == 1 and not self._expect_workers:
            await self._run(common, plan, pass_fds=(output,))
            return
        bind = self._bind or HostPort(_LOOPBACK, _free_port())
        await self._run(
            [
                *common,
                *("--master", "--enable-rebalancing"),
                *("--master-bind-host", bind.host, "--master-bind-port", str(bind.port)),
                *("--expect-workers", str(self._workers + self._expect_workers)),
                *("--expect-workers-max-wait", str(round(self._wait_s))),
            ],
            plan,
            pass_fds=(output,),
        )
        host = _LOOPBACK if bind.host in {"0.0.0.0", "*"} else bind.host  # noqa: S104
        for _ in range(self._workers):
            await self._run(
                [
                    *(sys.executable, "-m", "locust", "-f", str(self._locustfile)),
                    *("--worker", "--master-host", host, "--master-port", str(bind.port)),
                ],
                {},
            )

    async def _run(
        self, arguments: list[str], variables: Mapping[str, str], pass_fds: tuple[int, ...] = ()
    ) -> None:
        # One group for all, so that a terminal's Ctrl-C reaches none of them, and an end does all.
        group = self._processes[0].pid if self._processes else 0
        options: dict[str, Any] = {"process_group": group, "pass_fds": pass_fds, "cwd": self._cwd}
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**self._environ, **variables},
                **options,
            )
        except OSError as error:
            raise GeneratorError(
                f"The load generator couldn't be started ({error}){self._quote()}"
            ) from error
        self._processes.append(process)
        self._listening.append(asyncio.create_task(self._listen(process)))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout:
            while some := await process.stdout.read(4096):
                self._said = (self._said + some.decode(errors="replace"))[-_KEPT:]

    async def _next_line(self, reader: asyncio.StreamReader, *, is_first: bool) -> bytes:
        patience_s = self._first_s if is_first else self._hangs_s
        try:
            return await asyncio.wait_for(reader.readline(), patience_s)
        except TimeoutError:
            raise GeneratorError(
                f"The load generator hangs: it has said nothing for {patience_s:.0f} s"
                f"{self._quote()}"
            ) from None
        except ValueError as error:  # a line without an end
            raise GeneratorError(
                f"The load generator says what can't be understood ({error}){self._quote()}"
            ) from error

    def _read(self, line: bytes) -> LoadSecond:
        try:
            return LoadSecond.from_dict(json.loads(line))
        except ValueError as error:
            raise GeneratorError(
                f"The load generator says what can't be understood ({error}): "
                f"{line[:200].decode(errors='replace').strip()!r}{self._quote()}"
            ) from error

    async def _see_its_end(self, last: int) -> None:
        """It closed its output: that is right where the plan was at its end.

        Raises:
            GeneratorError: It wasn't.
        """
        first = self._processes[0]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first.wait(), _TERM_S)
        await asyncio.wait(self._listening[:1], timeout=1)
        if last + 1 >= int(self._plan.duration_s) and first.returncode in (0, None):
            return
        raise GeneratorError(
            f"The load generator died after {last + 1} of {self._plan.duration_s:.0f} s "
            f"({_ending(first.returncode)}){self._quote()}"
        )

    def _quote(self) -> str:
        """What the processes printed; the last line first, for where one line is all there is."""
        if not self.last_output:
            return ". It said nothing"
        last = self.last_output.splitlines()[-1]
        return f': "{last}". Its last output:\n{self.last_output}'


def _ending(code: int | None) -> str:
    if code is None:
        return "it still runs"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def _reader_of(
    descriptor: int,
) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    file = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    return reader, transport
