"""What Locust's processes saw, second by second: counted in each, brought together in one."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import gevent

from deployment_gate.load.seconds import (
    HIGHEST_US,
    EndpointSecond,
    LoadSecond,
    merged,
    new_histogram,
)

_BEAT_S = 0.02
# How long after its end a second waits for the workers that haven't told of it.
_PATIENCE_S = 1.5

clock = time.perf_counter


class Scheduled(Protocol):
    """A user whose requests are due at certain times."""

    def count_due(self, until_s: float) -> tuple[int, int]:
        """How many became due since it was asked last, and how many had to wait."""


class _Tally:
    """One endpoint's answers of the second that runs."""

    __slots__ = ("from_due", "from_sent", "right", "throttled", "wrong")

    def __init__(self) -> None:
        self.right = 0
        self.throttled = 0
        self.wrong: dict[str, int] = defaultdict(int)
        self.from_due = new_histogram()
        self.from_sent = new_histogram()

    def closed(self) -> EndpointSecond:
        return EndpointSecond(
            right=self.right,
            throttled=self.throttled,
            wrong=dict(self.wrong),
            from_due=self.from_due.encode().decode() if self.right else "",
            from_sent=self.from_sent.encode().decode() if self.right else "",
        )


class Recording:
    """What this process sends, and what it is answered.

    Args:
        deliver: Takes each second when it is over.
        elapsed_s: How long the load has already run, for a process that joins it later.
    """

    def __init__(self, deliver: Callable[[LoadSecond], None], *, elapsed_s: float = 0.0) -> None:
        self._deliver = deliver
        self._begin = clock() - elapsed_s
        self._began_at = datetime.now(UTC) - timedelta(seconds=elapsed_s)
        self._users: set[Scheduled] = set()
        self._tallies: dict[str, _Tally] = defaultdict(_Tally)
        self._due = self._sent = self._held_back = self._in_flight = 0
        self._lags: list[float] = []
        self._cpu = 0.0
        self._greenlets = [gevent.spawn(self._count_seconds), gevent.spawn(self._beat)]

    def elapsed_s(self) -> float:
        """Seconds since the load began."""
        return clock() - self._begin

    def moment_at(self, t_s: float) -> float:
        """The moment of `clock` so many seconds after the load began."""
        return self._begin + t_s

    def add(self, user: Scheduled) -> None:
        """Count what will be due of this user."""
        self._users.add(user)

    def remove(self, user: Scheduled) -> None:
        """Count what has been due of this user, and no more."""
        if user in self._users:
            self._users.remove(user)
            self._count_due([user], self.elapsed_s())

    def begin_request(self) -> None:
        """A request of the schedule is sent."""
        self._sent += 1
        self._in_flight += 1

    def end_request(self) -> None:
        """That request is over."""
        self._in_flight -= 1

    def add_right(self, name: str, *, due: float, sent: float, done: float) -> None:
        """An endpoint's answer was right; the moments are `clock`'s."""
        tally = self._tallies[name]
        tally.right += 1
        tally.from_due.record_value(_microseconds(done - due))
        tally.from_sent.record_value(_microseconds(done - sent))

    def add_throttled(self, name: str) -> None:
        """An endpoint answered that there were too many requests."""
        self._tallies[name].throttled += 1

    def add_wrong(self, name: str, reason: str) -> None:
        """An endpoint's answer was wrong, or there was none."""
        self._tallies[name].wrong[reason] += 1

    def stop(self) -> None:
        """End it."""
        gevent.killall(self._greenlets, block=False)

    def _beat(self) -> None:
        while True:
            before = clock()
            gevent.sleep(_BEAT_S)
            self._lags.append(max(clock() - before - _BEAT_S, 0.0))

    def _count_seconds(self) -> None:
        second = int(self.elapsed_s())
        wall, used = clock(), time.process_time()
        while True:
            gevent.sleep(max(second + 1 - self.elapsed_s(), 0))
            passed = clock() - wall
            # Several seconds that end at once, after this process had been stopped, share it.
            if passed >= _BEAT_S:
                self._cpu = (time.process_time() - used) / passed
                wall, used = clock(), time.process_time()
            self._close(second)
            second += 1

    def _close(self, second: int) -> None:
        self._count_due(self._users, second + 1)
        tallies, self._tallies = self._tallies, defaultdict(_Tally)
        lags, self._lags = sorted(self._lags), []
        done = LoadSecond(
            second=second,
            at=self._began_at + timedelta(seconds=second),
            users=len(self._users),
            workers=1,
            due=self._due,
            sent=self._sent,
            held_back=self._held_back,
            in_flight=self._in_flight,
            cpu=(round(self._cpu, 4),),
            lag_s=round(lags[len(lags) * 95 // 100], 6) if lags else 0.0,
            endpoints={name: tally.closed() for name, tally in tallies.items()},
        )
        self._due = self._sent = self._held_back = 0
        self._deliver(done)

    def _count_due(self, users: Iterable[Scheduled], until_s: float) -> None:
        for user in users:
            due, held_back = user.count_due(until_s)
            self._due += due
            self._held_back += held_back


class Collecting:
    """The workers' seconds, brought together by the master.

    Args:
        deliver: Takes each second when all have told of it, or when the others have waited enough.
        workers: How many workers are there now.
    """

    def __init__(self, deliver: Callable[[LoadSecond], None], workers: Callable[[], int]) -> None:
        self._deliver = deliver
        self._workers = workers
        self._begin = clock()
        self._began_at = datetime.now(UTC)
        self._told: dict[int, list[LoadSecond]] = defaultdict(list)
        self._next = 0
        self._greenlet = gevent.spawn(self._run)

    def take(self, message: Any) -> None:
        """Take a worker's second, as `LoadSecond.to_dict` has it.

        Raises:
            ValueError: It is not one.
        """
        second = LoadSecond.from_dict(message)
        if second.second >= self._next:
            self._told[second.second].append(second)

    def stop(self) -> None:
        """End it."""
        self._greenlet.kill(block=False)

    def _run(self) -> None:
        while True:
            gevent.sleep(_BEAT_S)
            late_s = clock() - self._begin - (self._next + 1)
            is_whole = 0 < self._workers() <= len(self._told[self._next])
            if late_s > _PATIENCE_S or (late_s > 0 and is_whole):
                at = self._began_at + timedelta(seconds=self._next)
                self._deliver(together(self._told.pop(self._next), second=self._next, at=at))
                self._next += 1


def together(parts: list[LoadSecond], *, second: int, at: datetime) -> LoadSecond:
    """One second of all workers.

    Args:
        parts: What each of them tells of it.
        second: Which second it is.
        at: Its beginning.
    """
    by_name: dict[str, list[EndpointSecond]] = defaultdict(list)
    for part in parts:
        for name, endpoint in part.endpoints.items():
            by_name[name].append(endpoint)
    return LoadSecond(
        second=second,
        at=at,
        users=sum(part.users for part in parts),
        workers=len(parts),
        due=sum(part.due for part in parts),
        sent=sum(part.sent for part in parts),
        held_back=sum(part.held_back for part in parts),
        in_flight=sum(part.in_flight for part in parts),
        cpu=tuple(share for part in parts for share in part.cpu),
        lag_s=max((part.lag_s for part in parts), default=0.0),
        endpoints={name: _endpoint(endpoints) for name, endpoints in by_name.items()},
    )


def write_line(output: int, line: str) -> None:
    """Write a line at once.

    Args:
        output: A file descriptor.
        line: Without its end.
    """
    left = memoryview(line.encode() + b"\n")
    while left:
        left = left[os.write(output, left) :]


def _endpoint(parts: list[EndpointSecond]) -> EndpointSecond:
    wrong: dict[str, int] = defaultdict(int)
    for part in parts:
        for reason, count in part.wrong.items():
            wrong[reason] += count
    return EndpointSecond(
        right=sum(part.right for part in parts),
        throttled=sum(part.throttled for part in parts),
        wrong=dict(wrong),
        from_due=_histogram(part.from_due for part in parts),
        from_sent=_histogram(part.from_sent for part in parts),
    )


def _histogram(texts: Iterable[str]) -> str:
    some = [text for text in texts if text]
    if len(some) <= 1:
        return some[0] if some else ""
    return str(merged(some).encode().decode())


def _microseconds(seconds: float) -> int:
    return min(max(round(1e6 * seconds), 1), HIGHEST_US)
