"""The sampler beside the load, against real servers: what is true is told, what is wrong is not."""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from deployment_gate.load.latency import Ask, Sample, sample
from deployment_gate.probes.apart import run_apart
from deployment_gate.probes.sampler import Answer
from tests.probes.target import Answer as MakeAnswer
from tests.probes.target import Close, Hang, Request, Target, http

Serve = Callable[[MakeAnswer], Target]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers; they end with the test."""
    targets: list[Target] = []

    def serve(answer: MakeAnswer) -> Target:
        targets.append(Target(answer))
        return targets[-1]

    yield serve
    for target in targets:
        target.close()


def samples(*asks: Ask, seconds: float, rate: float, **more: Any) -> list[Sample]:
    """Sample for some seconds."""
    seen: list[Sample] = []
    looks: list[float] = []

    def is_over() -> bool:
        looks.append(time.perf_counter())
        return looks[-1] - looks[0] > seconds

    run_apart(
        sample(
            asks,
            rate=rate,
            until=is_over,
            observe=seen.append,
            user_agent="test/1",
            **more,
        )
    )
    return seen


def ask(url: str, **fields: Any) -> Ask:
    """Ask an address."""
    return Ask(**{"endpoint": "list", "url": url, "timeout_s": 5.0, **fields})


def answer_well(_request: Request) -> bytes:
    return http(b'{"items": []}')


def test_a_right_answer_is_told_with_both_latencies(serve: Serve) -> None:
    before = datetime.now(UTC)
    seen = samples(ask(serve(answer_well).url()), seconds=0.5, rate=20)
    assert 9 <= len(seen) <= 11
    for one in seen:
        assert (one.endpoint, one.status, one.error, one.unobserved) == ("list", 200, None, None)
        assert (one.right, one.throttled) == (True, False)
        assert one.from_sent_s is not None
        assert 0 < one.from_sent_s <= one.from_due_s < 1
        assert before <= one.at <= datetime.now(UTC)


def test_requests_are_sent_when_they_are_due(serve: Serve) -> None:
    seen = samples(ask(serve(answer_well).url()), seconds=1, rate=50)
    assert statistics.median(one.late_s for one in seen) < 0.001  # the loop's timers are later


def test_what_makes_this_process_late_is_not_the_targets_time(serve: Serve) -> None:
    target = serve(answer_well)
    seen: list[Sample] = []

    async def sample_while_something_blocks() -> None:
        looks = iter(range(40))
        sampling = asyncio.create_task(
            sample(
                [ask(target.url())],
                rate=40,
                until=lambda: next(looks, None) is None,
                observe=seen.append,
                user_agent="t",
            )
        )
        await asyncio.sleep(0.3)
        time.sleep(0.4)  # noqa: ASYNC251  # what blocks
        await sampling

    run_apart(sample_while_something_blocks())
    late = [one for one in seen if one.late_s > 0.1]
    assert len(late) >= 8
    assert sum(one.from_due_s < 0.1 for one in late) >= len(late) - 2  # those that were under way


def test_a_request_is_a_get_that_names_its_sender(serve: Serve) -> None:
    target = serve(answer_well)
    samples(ask(target.url("/a?b=1"), headers=lambda: {"Authorization": "x"}), seconds=0.2, rate=20)
    request = target.requests[0]
    assert (request.method, request.path, request.body) == ("GET", "/a?b=1", b"")
    assert (request.headers["user-agent"], request.headers["authorization"]) == ("test/1", "x")


def test_requests_reuse_their_connections(serve: Serve) -> None:
    target = serve(answer_well)
    assert len(samples(ask(target.url()), seconds=1, rate=30)) > 20
    assert target.connections <= 3


def test_endpoints_are_asked_in_turn(serve: Serve) -> None:
    target = serve(answer_well)
    asks = [ask(target.url(f"/{name}"), endpoint=name) for name in "abc"]
    counts = dict.fromkeys("abc", 0)
    for one in samples(*asks, seconds=1, rate=30):
        counts[one.endpoint] += 1
    assert max(counts.values()) - min(counts.values()) <= 1


def test_requests_do_not_keep_step(serve: Serve) -> None:
    seen = sorted(
        samples(ask(serve(answer_well).url()), seconds=1, rate=40), key=lambda one: one.at
    )
    gaps_s = [(later.at - one.at).total_seconds() for one, later in pairwise(seen)]
    assert statistics.mean(gaps_s) == pytest.approx(1 / 40, rel=0.1)
    assert statistics.stdev(gaps_s) > 0.2 / 40


def test_a_slow_target_is_asked_no_less_often(serve: Serve) -> None:
    def answer_slowly(request: Request) -> bytes:
        time.sleep(0.5)
        return answer_well(request)

    target = serve(answer_slowly)
    seen = samples(ask(target.url()), seconds=1, rate=30)
    assert 27 <= len(seen) <= 33
    assert target.most_at_once > 10
    assert [one for one in seen if not one.right or one.from_due_s < 0.5] == []


def test_a_stall_is_told_by_everyone_who_came_during_it(serve: Serve) -> None:
    over = time.monotonic() + 1.2

    def answer_after_the_stall(request: Request) -> bytes:
        time.sleep(max(0.0, over - time.monotonic()))
        return answer_well(request)

    over = time.monotonic() + 1.2
    seen = samples(ask(serve(answer_after_the_stall).url()), seconds=1.8, rate=40)
    stalled = [one for one in seen if one.from_due_s > 0.1]
    # Requests come evenly in the 1.2 s, and each waits for what is left of it.
    assert len(stalled) == pytest.approx(40 * 1.1, rel=0.15)
    assert statistics.median(one.from_due_s for one in stalled) == pytest.approx(0.65, abs=0.12)


def test_what_cannot_be_sent_yet_counts_from_when_it_was_due(serve: Serve) -> None:
    def answer_slowly(request: Request) -> bytes:
        time.sleep(0.15)
        return answer_well(request)

    target = serve(answer_slowly)
    seen = samples(ask(target.url()), seconds=0.6, rate=20, at_once=1)
    assert target.most_at_once == 1
    last = max(seen, key=lambda one: one.at)
    assert last.right
    assert last.from_due_s > 0.9
    assert 0.15 <= (last.from_sent_s or 0) < 0.5


def test_what_could_never_be_sent_is_unobserved(serve: Serve) -> None:
    def answer_never(_request: Request) -> bytes:
        raise Hang

    seen = samples(ask(serve(answer_never).url(), timeout_s=0.6), seconds=0.5, rate=20, at_once=2)
    sent = [one for one in seen if one.from_sent_s is not None]
    assert {one.error for one in sent if one.error} == {"no whole answer within 0.6 s"}
    unsent = [one for one in seen if one.from_sent_s is None]
    assert unsent
    assert all(one.from_due_s >= 0.6 and not one.right for one in unsent)
    assert {(one.error, one.unobserved) for one in unsent} == {
        (None, "not sent: for 0.6 s too many earlier ones had no answer")
    }


@pytest.mark.parametrize(
    "body", [b'{"detail": "starting"}', b"<html>", b"", b"\xff"], ids=["other", "html", "no", "ff"]
)
def test_an_answer_with_wrong_content_is_not_right(serve: Serve, body: bytes) -> None:
    def has_items(answer: Answer) -> bool:
        return "items" in json.loads(answer.body)

    target = serve(lambda _request: http(body))
    for one in samples(ask(target.url(), holds=has_items), seconds=0.2, rate=20):
        assert (one.right, one.status, one.throttled) == (False, 200, False)
        assert (one.error, one.unobserved) == ("its content isn't what it should be", None)


def test_a_content_check_that_is_broken_is_not_the_targets_doing(serve: Serve) -> None:
    def broken(_answer: Answer) -> bool:
        raise AttributeError("no such thing")

    for one in samples(ask(serve(answer_well).url(), holds=broken), seconds=0.2, rate=20):
        assert (one.right, one.error) == (False, None)
        assert one.unobserved == "AttributeError: no such thing"


def test_an_answer_with_another_status_is_not_right(serve: Serve) -> None:
    target = serve(lambda _request: http(b"{}", 503))
    for one in samples(ask(target.url()), seconds=0.2, rate=20):
        assert (one.right, one.status, one.error) == (False, 503, "status 503, not 200")


def test_a_status_that_is_expected_is_right(serve: Serve) -> None:
    target = serve(lambda _request: http(b"{}", 404))
    assert all(one.right for one in samples(ask(target.url(), status=404), seconds=0.2, rate=20))


def test_a_target_that_throttles_is_neither_right_nor_wrong(serve: Serve) -> None:
    target = serve(lambda _request: http(b"{}", 429))
    for one in samples(ask(target.url()), seconds=0.2, rate=20):
        assert (one.throttled, one.right, one.status) == (True, False, 429)
        assert (one.error, one.unobserved) == (None, None)


def test_an_answer_that_is_cut_off_is_the_targets_error(serve: Serve) -> None:
    def cut_off(_request: Request) -> bytes:
        raise Close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    for one in samples(ask(serve(cut_off).url()), seconds=0.2, rate=20):
        assert (one.right, one.error) == (False, "connection closed before the answer was whole")


def test_a_port_at_which_nothing_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for one in samples(ask(f"http://127.0.0.1:{port}/"), seconds=0.2, rate=20):
        assert (one.right, one.status, one.error) == (False, None, "connection refused")


def test_what_was_sent_is_waited_for(serve: Serve) -> None:
    def answer_late(request: Request) -> bytes:
        time.sleep(0.5)
        return answer_well(request)

    seen = samples(ask(serve(answer_late).url()), seconds=0.3, rate=20)
    assert 5 <= len(seen) <= 7
    assert all(one.right for one in seen)


def test_cancelling_ends_it_at_once(serve: Serve) -> None:
    def answer_never(_request: Request) -> bytes:
        raise Hang

    url = serve(answer_never).url()
    started = time.monotonic()

    async def cancel_soon() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await sample(
                    [ask(url, timeout_s=60)],
                    rate=20,
                    until=lambda: False,
                    observe=lambda _one: None,
                    user_agent="t",
                )

    run_apart(cancel_soon())
    assert time.monotonic() - started < 2
