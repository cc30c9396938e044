"""What is asynchronous runs although this thread has a loop, and ends when it is interrupted."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from deployment_gate.probes.apart import run_apart


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


def test_it_runs_within_a_loop_that_runs_already() -> None:
    async def outer() -> int:
        return run_apart(answer())

    # In a thread of its own: where a browser's tests ran before, this one has a loop already.
    with ThreadPoolExecutor(max_workers=1) as thread:
        assert thread.submit(asyncio.run, outer()).result() == 42


def test_its_error_is_raised() -> None:
    async def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        run_apart(fail())


def test_what_interrupts_this_thread_cancels_it() -> None:
    ended = []

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("cleanly")

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_apart(wait())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended == ["cleanly"]
