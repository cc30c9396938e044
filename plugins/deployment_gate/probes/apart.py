"""Runs what is asynchronous in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_apart(main: Coroutine[Any, Any, T]) -> T:
    """What `asyncio.run` does, where this thread may have a loop already: Playwright's, say.

    What interrupts this thread meanwhile cancels it, and is raised once it has ended.

    Args:
        main: What to carry out.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(main)

    def carry_out() -> T:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(_outcome_of(task))

    with ThreadPoolExecutor(max_workers=1) as thread:
        outcome = thread.submit(carry_out)
        try:
            return outcome.result()
        except BaseException:
            if not outcome.done():
                loop.call_soon_threadsafe(task.cancel)
            raise


async def _outcome_of(task: asyncio.Task[T]) -> T:
    return await task
