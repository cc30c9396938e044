"""CPU, memory and disk of what is under load: of processes on this machine, and by Prometheus."""

from __future__ import annotations

import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, Any

from deployment_gate.load.targets import (
    FEWEST_SECONDS,
    State,
    TargetResult,
    mean_interval,
    state_of_mean,
    told,
)
from deployment_gate.probes.blame import blame
from deployment_gate.probes.sampler import ssl_context

if TYPE_CHECKING:
    import psutil

    from deployment_gate.environment import TargetPhrase

ENOUGH = 0.5
"""The share of the looks that were due which must have shown something, or nothing is judged."""

_ROUNDING = 0.01
"""By how much a share may lie above 1: clocks and counters aren't read at the same moment."""


class Resource(StrEnum):
    """What can be used up."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a resource was in use at a moment.

    Attributes:
        at: When, aware and in UTC.
        where: Of which host or process.
        resource: Of what.
        share: 0 to 1 of all there is.
    """

    at: datetime
    where: str
    resource: Resource
    share: float


@dataclass(frozen=True, slots=True)
class NotCovered:
    """What couldn't be seen of a resource, and why: that is no usage of zero.

    `where` is of which host or process, where one is known.
    """

    resource: Resource
    why: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen, and what wasn't."""

    usages: tuple[Usage, ...] = ()
    not_covered: tuple[NotCovered, ...] = ()


class LocalProcess:
    """A process on this machine with all its children, by its id or by the port it listens on.

    CPU is its share of the cores that it may run on, memory the share of this machine's that is
    resident, disk how full the file system is in which it works.
    """

    def __init__(self, *, pid: int | None = None, port: int | None = None) -> None:
        self._pid, self._port = pid, port
        self._process: psutil.Process | None = None
        self._before: tuple[float, float] | None = None

    @property
    def where(self) -> str:
        """How reports name it."""
        return f"process {self._pid}" if self._pid else f"the process on port {self._port}"

    def look(self) -> Seen:
        """Look at it once; CPU is of the time since the last look, so the first shows none."""
        import psutil  # noqa: PLC0415  # a dependency of the extra `performance` only

        try:
            root = self._root()
            tree = [root, *root.children(recursive=True)]
        except (psutil.Error, OSError, LookupError) as error:
            self._process = self._before = None
            why = _why_not(self.where, error)
            return Seen(
                not_covered=tuple(NotCovered(resource, why, self.where) for resource in Resource)
            )
        usages: list[Usage] = []
        not_covered: list[NotCovered] = []
        for resource, share_of in _LOOKS.items():
            at = datetime.now(UTC)
            try:
                share = share_of(self, tree)
            except (psutil.Error, OSError) as error:
                not_covered.append(NotCovered(resource, _why_not(self.where, error), self.where))
            else:
                usages += [] if share is None else [Usage(at, self.where, resource, share)]
        return Seen(tuple(usages), tuple(not_covered))

    def cpu(self, tree: Sequence[psutil.Process]) -> float | None:
        """The share of its cores that it used since the last look."""
        now = time.monotonic()
        spent = _cpu_time(tree[0]) + sum(_of_child(_cpu_time, child) for child in tree[1:])
        before, self._before = self._before, (now, spent)
        if before is None or now <= before[0]:
            return None
        # A child that died without being waited for takes its time along.
        return max(0.0, spent - before[1]) / (now - before[0]) / _cores(tree[0])

    def memory(self, tree: Sequence[psutil.Process]) -> float:
        """The share of this machine's memory that is resident."""
        import psutil  # noqa: PLC0415

        resident = _resident(tree[0]) + sum(_of_child(_resident, child) for child in tree[1:])
        return float(resident / psutil.virtual_memory().total)

    def disk(self, tree: Sequence[psutil.Process]) -> float:
        """How full the file system is in which it works."""
        import psutil  # noqa: PLC0415

        return float(psutil.disk_usage(tree[0].cwd()).percent / 100)

    def _root(self) -> psutil.Process:
        import psutil  # noqa: PLC0415

        if self._process is None or not self._process.is_running():
            self._process = psutil.Process(self._pid or _listener(self._port or 0))
            self._before = None
        # One that is over but not waited for still answers, with a memory of nothing.
        if self._process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(self._process.pid)
        return self._process


_LOOKS = {
    Resource.CPU: LocalProcess.cpu,
    Resource.MEMORY: LocalProcess.memory,
    Resource.DISK: LocalProcess.disk,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """A server that speaks Prometheus' HTTP API, and what it is asked.

    Attributes:
        url: Its address, without `/api/v1`.
        queries: PromQL by resource: a share between 0 and 1, one series for each host.
        timeout_s: Seconds until it counts as unanswered.
        headers: Sent beside the usual ones; its credentials, say.
        label: Which label names the host.
    """

    url: str
    queries: Mapping[Resource, str]
    timeout_s: float = 10.0
    headers: Mapping[str, str] | None = None
    label: str = "instance"


def ask_prometheus(
    server: Prometheus, *, begin: datetime, end: datetime, step_s: float = 5.0
) -> Seen:
    """Ask once, when the load is over, for all that was recorded in its time.

    Args:
        server: Whom to ask, and what.
        begin: When the load began, aware.
        end: When it ended, aware.
        step_s: Seconds from one value to the next.
    """
    import httpx  # noqa: PLC0415  # half a second

    looks = int((end - begin).total_seconds() / step_s) + 1
    usages: list[Usage] = []
    not_covered: list[NotCovered] = []
    is_secure = server.url.lower().startswith("https:")
    # Only https is worth loading the trusted issuers for.
    trust = ssl_context() if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    transport = httpx.HTTPTransport(verify=trust)
    # The one address that was configured is asked: no proxy, no redirect to elsewhere.
    with httpx.Client(
        transport=transport, timeout=server.timeout_s, headers=server.headers, trust_env=False
    ) as client:
        for resource, query in server.queries.items():
            try:
                response = client.get(
                    f"{server.url.rstrip('/')}/api/v1/query_range",
                    params={
                        "query": query,
                        "start": begin.timestamp(),
                        "end": end.timestamp(),
                        "step": step_s,
                    },
                )
                series = _series(response)
                usages += list(_usages(series, resource, server.label, looks))
            except httpx.TimeoutException:
                why = f"Prometheus gave no answer within {server.timeout_s:g} s"
                not_covered.append(NotCovered(resource, why))
            except httpx.HTTPError as error:
                said = blame(error)
                why = f"Prometheus: {said.error or said.unobserved}"
                not_covered.append(NotCovered(resource, why))
            except ValueError as error:
                not_covered.append(NotCovered(resource, str(error)))
    return Seen(tuple(usages), tuple(not_covered))


def judge_usage(
    phrase: TargetPhrase, resource: Resource, looks: Sequence[Seen]
) -> tuple[TargetResult, ...]:
    """Judge "< 80% average usage" of each host; what wasn't seen is told as not covered.

    Args:
        phrase: The target.
        resource: Of what.
        looks: All that was seen during the load, in its order.
    """
    shares = defaultdict[str, list[float]](list)
    unseen = defaultdict[str, list[NotCovered]](list)
    for seen in looks:
        for usage in seen.usages:
            if usage.resource is resource:
                shares[usage.where].append(usage.share)
        for one in seen.not_covered:
            if one.resource is resource:
                unseen[one.where].append(one)
    if not shares and not unseen:
        unseen[""].append(NotCovered(resource, "the environment gives no way to see it"))
    return tuple(
        _judged(
            phrase,
            f"{resource.value} of {where}" if where else resource.value,
            shares.get(where, ()),
            unseen.get(where, ()),
        )
        for where in sorted(shares.keys() | unseen.keys())
    )


def _judged(
    phrase: TargetPhrase, subject: str, shares: Sequence[float], unseen: Sequence[NotCovered]
) -> TargetResult:
    if not shares:
        return told(phrase, subject, State.NOT_COVERED, f"not covered: {unseen[-1].why}")
    gaps = f", {len(unseen)} times not: {unseen[-1].why}" if unseen else ""
    if unseen and len(shares) < ENOUGH * (len(shares) + len(unseen)):
        return told(
            phrase, subject, State.NOT_COVERED, f"not covered: seen {len(shares)} times{gaps}"
        )
    interval = mean_interval(shares)
    if interval is None:
        few = f"too few samples: {len(shares)} of {FEWEST_SECONDS} needed{gaps}"
        return told(phrase, subject, State.TOO_FEW, few)
    numbers = (
        f"{100 * interval.mean:.1f} % in use on average, at most {100 * max(shares):.1f} %, "
        f"seen {len(shares)} times{gaps}"
    )
    state = state_of_mean(phrase, interval)
    if state is State.TOO_FEW:
        low, high = 100 * interval.low, 100 * interval.high
        numbers += f": too few samples to tell {low:.1f} to {high:.1f} % from the limit"
    return told(phrase, subject, state, numbers)


def _listener(port: int) -> int:
    """The process that listens on a port; of several that share it, the first of their family."""
    import psutil  # noqa: PLC0415

    pids: set[int] = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port == port
        and connection.pid is not None
    }
    if not pids:
        raise LookupError(f"no process that can be seen from here listens on port {port}")
    began = {pid: psutil.Process(pid).create_time() for pid in pids}
    return min(pids, key=lambda pid: (began[pid], pid))


def _cpu_time(process: psutil.Process) -> float:
    """Its seconds of CPU with those of its children that are over: nothing is counted twice.

    The kernel adds a child's to its parent's when it is waited for.
    """
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss)


def _of_child(what: Callable[[psutil.Process], float], child: psutil.Process) -> float:
    """What a child uses: nothing once it is gone, which is no reason not to see its parent."""
    import psutil  # noqa: PLC0415

    with suppress(psutil.NoSuchProcess):
        return what(child)
    return 0.0


def _cores(process: psutil.Process) -> int:
    import psutil  # noqa: PLC0415

    # Not every system tells on which ones a process may run.
    if hasattr(process, "cpu_affinity"):
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1


def _why_not(where: str, error: Exception) -> str:
    import psutil  # noqa: PLC0415

    if isinstance(error, psutil.NoSuchProcess):
        return f"{where} is gone"
    if isinstance(error, psutil.AccessDenied | PermissionError):
        return f"{where} belongs to somebody else"
    return str(error.args[0]) if isinstance(error, LookupError) else f"{where}: {error}"


def _series(response: Any) -> list[dict[str, Any]]:
    """The series of an answer to `query_range`; a ValueError says why there are none."""
    try:
        said = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.get("status") != "success":
        error = f": {said['error']}" if isinstance(said, dict) and "error" in said else ""
        raise ValueError(f"Prometheus answered {response.status_code}{error}")
    if response.status_code != HTTPStatus.OK:
        raise ValueError(f"Prometheus answered {response.status_code}")
    match said.get("data"):
        case {"resultType": "matrix", "result": [_, *_] as result}:
            return list(result)
        case {"resultType": "matrix", "result": []}:
            raise ValueError("Prometheus has no such series; look at the query")
    raise ValueError("Prometheus answered with something else than series in time")


def _usages(
    series: Sequence[dict[str, Any]], resource: Resource, label: str, looks: int
) -> Iterator[Usage]:
    hosts = set[str]()
    for one in series:
        try:
            where = str(one["metric"].get(label) or "the host")
            values = [(float(at), float(value)) for at, value in one["values"]]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError("Prometheus answered with a series that isn't one") from None
        if where in hosts:
            raise ValueError(
                f"the query gives several series for {where}. Make one of them: `max by ({label})`"
            )
        hosts.add(where)
        seen = [(at, value) for at, value in values if isfinite(value)]
        wild = next((value for _, value in seen if not 0 <= value <= 1 + _ROUNDING), None)
        if wild is not None:
            raise ValueError(
                f"the query gives {wild:g} for {where}, which is no share between 0 and 1. "
                "Divide percentages by 100"
            )
        if len(seen) < ENOUGH * looks:
            raise ValueError(f"Prometheus has {len(seen)} of {looks} values of {where}")
        for at, value in seen:
            yield Usage(datetime.fromtimestamp(at, UTC), where, resource, value)
