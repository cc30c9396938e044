"""CPU, memory and disk: of real processes on this machine, and by Prometheus' HTTP API.

The Prometheus here is a stand-in: a real HTTP server on loopback that answers `query_range` as
Prometheus' documentation says, with series that a test makes up. No Prometheus was asked.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from deployment_gate.environment.phrases import parse_target
from deployment_gate.load.resources import (
    LocalProcess,
    NotCovered,
    Prometheus,
    Resource,
    Seen,
    Usage,
    ask_prometheus,
    judge_usage,
)
from deployment_gate.load.targets import State
from tests.probes.target import Hang, Request, Target, http

CPU = parse_target("< 80% average usage")
BEGIN = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
END = BEGIN + timedelta(seconds=60)

BURNS = """
import time
print("ready", flush=True)
while True:
    until = time.perf_counter() + 0.025
    while time.perf_counter() < until:
        pass
    time.sleep(0.025)
"""
BURNS_IN_CHILDREN = """
import subprocess, sys
print("ready", flush=True)
while True:
    subprocess.run([sys.executable, "-S", "-c", "for _ in range(2_000_000): pass"])
"""
HOLDS = """
import time
held = bytearray(300 * 1024 * 1024)
held[::4096] = b"x" * len(held[::4096])
print("ready", flush=True)
time.sleep(600)
"""
LISTENS = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
time.sleep(600)
"""


@contextmanager
def running(program: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python process, and the first line that it says."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            with suppress(psutil.NoSuchProcess):
                tree = psutil.Process(process.pid)
                tree.suspend()  # so that it starts no more of them
                for child in tree.children(recursive=True):
                    child.kill()
            process.kill()


def looks(process: LocalProcess, *, count: int = 10) -> list[Seen]:
    """Several looks, a fifth of a second apart."""
    seen = []
    for _ in range(count):
        seen.append(process.look())
        time.sleep(0.2)
    return seen


def shares(seen: Sequence[Seen], resource: Resource) -> list[float]:
    return [u.share for look in seen for u in look.usages if u.resource is resource]


def test_the_cpu_of_a_process_is_its_share_of_its_cores() -> None:
    with running(BURNS) as (process, _):
        own = psutil.Process(process.pid).cpu_times
        before, began = own(), time.monotonic()
        seen = looks(LocalProcess(pid=process.pid), count=12)
        after, took = own(), time.monotonic() - began
        cores = len(psutil.Process(process.pid).cpu_affinity())
    found = shares(seen, Resource.CPU)
    assert len(found) == 11
    expected = (after.user + after.system - before.user - before.system) / took / cores
    assert fmean(found) == pytest.approx(expected, rel=0.15)
    assert fmean(found) * cores > 0.1


def test_what_children_used_that_are_over_counts_for_their_parent() -> None:
    with running(BURNS_IN_CHILDREN) as (process, _):
        found = shares(looks(LocalProcess(pid=process.pid)), Resource.CPU)
        cores = len(psutil.Process(process.pid).cpu_affinity())
    assert fmean(found) * cores > 0.1


def test_the_memory_of_a_process_is_what_it_holds() -> None:
    with running(HOLDS) as (process, _):
        (found,) = shares([LocalProcess(pid=process.pid).look()], Resource.MEMORY)
    held = found * psutil.virtual_memory().total / 1024**2
    assert 300 <= held <= 340


def test_the_disk_is_that_on_which_it_works() -> None:
    with running(LISTENS) as (process, _):
        (found,) = shares([LocalProcess(pid=process.pid).look()], Resource.DISK)
    assert found == pytest.approx(psutil.disk_usage(os.getcwd()).percent / 100, abs=0.02)  # noqa: PTH109


def test_a_process_is_found_by_the_port_on_which_it_listens() -> None:
    with running(LISTENS) as (process, port):
        by_port = LocalProcess(port=int(port)).look()
        by_pid = LocalProcess(pid=process.pid).look()
    assert {usage.where for usage in by_port.usages} == {f"the process on port {port}"}
    assert shares([by_port], Resource.MEMORY) == pytest.approx(shares([by_pid], Resource.MEMORY))


def test_a_process_that_ends_is_not_covered_from_then_on_rather_than_idle() -> None:
    with running(LISTENS) as (process, _):
        local = LocalProcess(pid=process.pid)
        assert local.look().usages
        process.kill()
        psutil.Process(process.pid).status()  # nobody has waited for it yet
        time.sleep(0.2)
        as_zombie = local.look()
        process.wait()
        after = local.look()
    for seen in (as_zombie, after):
        assert not seen.usages
        assert {one.why for one in seen.not_covered} == {f"process {process.pid} is gone"}


def test_a_port_on_which_nothing_listens_is_not_covered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    results = judge_usage(CPU, Resource.CPU, [LocalProcess(port=port).look()])
    assert [result.state for result in results] == [State.NOT_COVERED]
    assert results[0].sentence == (
        f"cpu of the process on port {port}: not covered: no process that can be seen from "
        f"here listens on port {port}; the target is '< 80% average usage'"
    )


def steady(share: float, *, where: str = "api", count: int = 30) -> list[Seen]:
    return [
        Seen((Usage(BEGIN + timedelta(seconds=i), where, Resource.CPU, share + 0.02 * (-1) ** i),))
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("share", "state"), [(0.5, State.MET), (0.9, State.MISSED), (0.8, State.TOO_FEW)]
)
def test_average_usage_is_judged_with_its_confidence(share: float, state: State) -> None:
    # An odd number in each batch, or the ups and downs cancel out.
    (result,) = judge_usage(CPU, Resource.CPU, steady(share, count=35))
    assert result.state is state


def test_the_sentence_carries_average_and_most() -> None:
    (result,) = judge_usage(CPU, Resource.CPU, steady(0.5))
    assert result.sentence == (
        "cpu of api: 50.0 % in use on average, at most 52.0 %, seen 30 times; "
        "the target is '< 80% average usage'"
    )


def test_each_host_is_judged_by_itself_and_one_unseen_is_told() -> None:
    gone = [Seen(not_covered=(NotCovered(Resource.CPU, "it is gone", "worker"),))] * 30
    results = judge_usage(CPU, Resource.CPU, [*steady(0.5), *steady(0.9, where="db"), *gone])
    assert [(result.subject, result.state) for result in results] == [
        ("cpu of api", State.MET),
        ("cpu of db", State.MISSED),
        ("cpu of worker", State.NOT_COVERED),
    ]


def test_a_host_that_was_seen_less_than_half_of_the_time_is_not_covered() -> None:
    gone = [Seen(not_covered=(NotCovered(Resource.CPU, "it is gone", "api"),))] * 31
    (result,) = judge_usage(CPU, Resource.CPU, [*steady(0.5), *gone])
    assert result.state is State.NOT_COVERED
    assert "seen 30 times, 31 times not: it is gone" in result.sentence


def test_a_resource_that_nothing_shows_is_not_covered() -> None:
    (result,) = judge_usage(CPU, Resource.DISK, steady(0.5))
    assert result.state is State.NOT_COVERED
    assert result.sentence == (
        "disk: not covered: the environment gives no way to see it; "
        "the target is '< 80% average usage'"
    )


def test_a_few_looks_are_too_few() -> None:
    (result,) = judge_usage(CPU, Resource.CPU, steady(0.5, count=9))
    assert result.state is State.TOO_FEW
    assert "too few samples: 9 of 10 needed" in result.sentence


Serve = Callable[..., Prometheus]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers in Prometheus' place; they end with the test."""
    targets: list[Target] = []

    def serve(answer: Callable[[Request], bytes], **more: Any) -> Prometheus:
        targets.append(Target(answer))
        return Prometheus(
            url=targets[-1].origin, queries={Resource.CPU: 'cpu{job="api"}'}, timeout_s=1, **more
        )

    yield serve
    for target in targets:
        target.close()


def series(*hosts: tuple[str, Sequence[str]]) -> bytes:
    """An answer to `query_range`, with the values of each host every 5 s."""
    result = [
        {
            "metric": {"instance": host},
            "values": [[BEGIN.timestamp() + 5 * i, value] for i, value in enumerate(values)],
        }
        for host, values in hosts
    ]
    return said({"status": "success", "data": {"resultType": "matrix", "result": result}})


def said(value: Any, status: int = 200) -> bytes:
    return http(json.dumps(value), status=status)


def ask(server: Prometheus) -> Seen:
    return ask_prometheus(server, begin=BEGIN, end=END)


def why_not(server: Prometheus) -> str:
    """Why nothing of the CPU was covered."""
    seen = ask(server)
    assert not seen.usages
    (one,) = seen.not_covered
    return one.why


def test_prometheus_is_asked_for_the_time_of_the_load(serve: Serve) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> bytes:
        asked.append(request)
        return series(("api:9100", ["0.5"] * 13), ("db:9100", ["0.9"] * 13))

    seen = ask(serve(answer, headers={"Authorization": "Bearer made-up"}))
    address = urlsplit(asked[0].path)
    assert address.path == "/api/v1/query_range"
    assert parse_qs(address.query) == {
        "query": ['cpu{job="api"}'],
        "start": [str(BEGIN.timestamp())],
        "end": [str(END.timestamp())],
        "step": ["5.0"],
    }
    assert {name.lower(): value for name, value in asked[0].headers.items()}[
        "authorization"
    ] == "Bearer made-up"
    assert seen.usages[0] == Usage(BEGIN, "api:9100", Resource.CPU, 0.5)
    results = judge_usage(CPU, Resource.CPU, [seen])
    assert [(result.subject, result.state) for result in results] == [
        ("cpu of api:9100", State.MET),
        ("cpu of db:9100", State.MISSED),
    ]


def test_values_that_are_no_numbers_are_left_out(serve: Serve) -> None:
    server = serve(lambda _: series(("api", ["0.5"] * 10 + ["NaN", "+Inf", "0.7"])))
    assert [usage.share for usage in ask(server).usages] == [*[0.5] * 10, 0.7]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (series(), "Prometheus has no such series; look at the query"),
        (
            series(("api", ["73.2"] * 13)),
            (
                "the query gives 73.2 for api, which is no share between 0 and 1. "
                "Divide percentages by 100"
            ),
        ),
        (series(("api", ["0.5"] * 3)), "Prometheus has 3 of 13 values of api"),
        (series(("api", ["NaN"] * 13)), "Prometheus has 0 of 13 values of api"),
        (
            series(("api", ["0.5"] * 13), ("api", ["0.1"] * 13)),
            "the query gives several series for api. Make one of them: `max by (instance)`",
        ),
        (
            said({"status": "error", "errorType": "bad_data", "error": "parse error"}, 400),
            "Prometheus answered 400: parse error",
        ),
        (http("<html>", 401), "Prometheus answered 401"),
        (http("", 302, location="http://127.0.0.1:1/"), "Prometheus answered 302"),
        (http("[]"), "Prometheus answered 200"),
        (
            said({"status": "success", "data": {"resultType": "vector", "result": []}}),
            "Prometheus answered with something else than series in time",
        ),
        (
            said({"status": "success", "data": {"resultType": "matrix", "result": [7]}}),
            "Prometheus answered with a series that isn't one",
        ),
    ],
)
def test_an_answer_that_shows_nothing_is_not_covered(serve: Serve, answer: bytes, why: str) -> None:
    assert why_not(serve(lambda _: answer)) == why


def test_a_prometheus_that_hangs_is_not_covered(serve: Serve) -> None:
    def hang(_: Request) -> bytes:
        raise Hang

    assert why_not(serve(hang)) == "Prometheus gave no answer within 1 s"


def test_a_prometheus_that_is_not_there_is_not_covered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    here = Prometheus(url=f"http://127.0.0.1:{port}", queries={Resource.MEMORY: "memory"})
    seen = ask(here)
    assert (seen.usages, [one.resource for one in seen.not_covered]) == ((), [Resource.MEMORY])
    assert seen.not_covered[0].why == "Prometheus: connection refused"


def test_one_query_that_fails_leaves_the_others(serve: Serve) -> None:
    def answer(request: Request) -> bytes:
        return series(("api", ["0.5"] * 13)) if "memory" in request.path else series()

    server = serve(answer)
    both = Prometheus(
        url=server.url, queries={Resource.CPU: "cpu", Resource.MEMORY: "memory"}, timeout_s=1
    )
    seen = ask(both)
    assert {usage.resource for usage in seen.usages} == {Resource.MEMORY}
    assert [one.resource for one in seen.not_covered] == [Resource.CPU]
