"""Checks that make load run alone, whatever the other processes of the run have to do."""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Turns:
    """Lets the checks of all processes run beside each other, but for those with load.

    Args:
        folder: One that all processes of the run share. A process that dies gives up its turn.
    """

    def __init__(self, folder: Path) -> None:
        self._door = folder / "turns-door.lock"
        self._room = folder / "turns-room.lock"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Wait until it may run; that doesn't count for its time limit."""
        # Who wants to be alone keeps the door shut, so that the room empties.
        if item.get_closest_marker("load"):
            with _locked(self._door, fcntl.LOCK_EX), _locked(self._room, fcntl.LOCK_EX):
                return (yield)
        with _locked(self._door, fcntl.LOCK_EX):
            room = self._room.open("a")
            fcntl.flock(room, fcntl.LOCK_SH)
        with room:
            return (yield)


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    """Hold a lock on a file, which closing it gives back."""
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
