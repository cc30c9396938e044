"""What checks are given of a load, and what of it becomes evidence."""

from __future__ import annotations

from typing import Any

from deployment_gate.environment.phrases import parse_target
from deployment_gate.evidence import ObservationKind
from deployment_gate.evidence.lines import decode, encode
from deployment_gate.load.course import LoadTaken
from deployment_gate.load.resources import Resource, Seen, Usage
from deployment_gate.load.seconds import LoadSecond, new_histogram
from deployment_gate.load.seen import LoadTargets, SeenLoad, progress
from deployment_gate.load.targets import State
from tests.load.loads import BEGIN, answers, plan, sample, second

TARGETS = LoadTargets(
    latency=(parse_target("< 200ms for 95% of requests"),),
    errors=(parse_target("< 1% target"),),
    throughput=(parse_target("> 90 requests/second"),),
    users=(parse_target("> 40 concurrent users"),),
    usage={Resource.CPU: parse_target("< 80% average usage")},
)


def seen(seconds: list[LoadSecond], samples: list[Any], **more: Any) -> SeenLoad:
    taken = LoadTaken(
        plan=plan(100, each_s=20, warm_up_s=5),
        seconds=tuple(seconds),
        samples=tuple(samples),
        usage=more.pop("usage", ()),
        stopped=more.pop("stopped", ""),
        began=BEGIN,
    )
    return SeenLoad(taken, TARGETS, **more)


HEALTHY = [second(number, 100) for number in range(20)]
QUICK = [sample(number / 20) for number in range(400)]


def test_a_healthy_load_meets_its_targets() -> None:
    load = seen(HEALTHY, QUICK)

    assert load.bottleneck is None
    assert load.throttling is None
    results = [*load.latency, *load.errors, *load.served]
    assert {one.state for one in results} == {State.MET}
    assert len(results) == 6


def test_the_warm_up_counts_for_nothing() -> None:
    slow = [sample(number / 20, 3.0 if number < 100 else 0.01) for number in range(400)]
    wrong = [second(number, 100, endpoints={"search": answers(0, 100, 100)}) for number in range(5)]
    load = seen([*wrong, *HEALTHY[5:]], slow)

    assert {one.state for one in [*load.latency, *load.errors]} == {State.MET}
    assert load.throttling is None


def test_a_generator_that_falls_short_is_told_unless_the_load_was_ended() -> None:
    short = [second(number, 100, sent=70, cpu=(0.97,)) for number in range(20)]

    told = seen(short, QUICK).bottleneck
    assert told == "the load generator reached 70 of 100 requests/s at 97 % CPU; add workers"
    assert seen(short, QUICK, stopped="too many errors").bottleneck is None


def test_what_is_slower_than_in_an_earlier_run_is_told_though_it_is_within_its_target() -> None:
    before = {"search": [0.010 + 0.00001 * number for number in range(300)]}
    slower = [sample(number / 20, 0.013 + 0.00001 * number) for number in range(400)]

    (change,) = seen(HEALTHY, slower, before=before).changes
    assert "slower than before" in change
    assert change.endswith("though within its target")
    assert seen(HEALTHY, slower).changes == []


def test_machines_are_judged_by_what_was_seen_after_the_warm_up() -> None:
    looks = [
        Seen((Usage(one.at, "api", Resource.CPU, 0.99 if one.second < 5 else 0.4),))
        for one in HEALTHY
    ]

    (usage,) = seen(HEALTHY, QUICK, usage=tuple(looks)).usage
    assert usage.state is State.MET
    (usage,) = seen(HEALTHY, QUICK).usage
    assert usage.state is State.NOT_COVERED


def test_all_of_it_is_evidence_that_can_be_read_again() -> None:
    load = seen(HEALTHY, [*QUICK, sample(3, error="status 500", status=500)])

    observations = list(load.observations("a check"))
    assert [decode(encode(one)) for one in observations] == observations
    assert {one.kind for one in observations} == {ObservationKind.LOAD}
    samples = [one for one in observations if "scenario" in one.facts]
    assert len(samples) == 401
    assert sum(one.facts["right"] for one in samples) == 400
    assert LoadSecond.from_dict(dict(observations[-1].facts)) == HEALTHY[-1]


def test_its_account_has_both_the_samplers_figures_and_the_generators() -> None:
    histogram = new_histogram()
    for _ in range(100):
        histogram.record_value(12_000)
    text = histogram.encode().decode()
    answered = answers(100)
    busy = type(answered)(100, 0, {}, text, text)
    load = seen(
        [second(number, 100, endpoints={"search": busy}) for number in range(20)],
        QUICK,
        own_delay_s=0.001,
    )

    own, beside, generator = load.account.splitlines()
    assert own == "the generator sees 95 % of instant answers within 1.0 ms"
    assert beside.startswith("search: p50 10.0 ms, p95 10.0 ms, p99 10.0 ms of 300 samples")
    assert generator.startswith("search: p50 12.0 ms, p95 12.0 ms, p99 12.0 ms of 1500 answers")


def test_progress_tells_users_rate_p95_errors_and_the_time_left() -> None:
    refused = second(4, 100, endpoints={"search": answers(90, 7, 3)})

    assert progress(plan(100, each_s=20), refused, QUICK) == (
        "50 users, 100 requests/s of 100 due, p95 10 ms, 7 errors, 3 throttled, 15 s left"
    )
