"""Says which check is running when one takes long, so that nobody wonders at 3 a.m."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

FIRST_NOTICE_S = 5.0
"""A healthy check is far quicker; after this the terminal names what it waits for."""

_TICK_S = 0.5


class StillRunning:
    """Names each check that has been running for 5, 10, 20, 40 ... seconds.

    Args:
        say: Tells the person at the terminal.
        told: The file in which checks say themselves how far they are, a line each time.
    """

    def __init__(self, say: Callable[[str], None], *, told: Path) -> None:
        self._say = say
        self._told = told
        self._read = 0
        self._lock = threading.Lock()
        self._started: dict[str, float] = {}
        self._next_notice: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="still-running")

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def check_started(self, check: str) -> None:
        """A check began."""
        with self._lock:
            self._started[check] = time.monotonic()
            self._next_notice[check] = FIRST_NOTICE_S

    def check_ended(self, check: str) -> None:
        """A check ended."""
        with self._lock:
            self._started.pop(check, None)

    def _watch(self) -> None:
        while not self._ended.wait(_TICK_S):
            self._say_what_was_told()
            now = time.monotonic()
            with self._lock:
                running = dict(self._started)
            for check, started in running.items():
                if now - started >= self._next_notice[check]:
                    self._next_notice[check] *= 2
                    self._say(f"{check} has been running for {now - started:.0f} s")

    def _say_what_was_told(self) -> None:
        with contextlib.suppress(FileNotFoundError), self._told.open(encoding="utf-8") as file:
            file.seek(self._read)
            for line in file.read().splitlines():
                self._say(line)
            self._read = file.tell()
