"""This suite as one of those that put load on a server and tell its latency."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from load_contestants import SHARES, USERS, WARM_UP_S, Task, Told, percentile, restart
from measuring import ROOT, BenchmarkError

from deployment_gate.load.course import Bounds, LoadTaken, put_load
from deployment_gate.load.generator import LoadGenerator
from deployment_gate.load.latency import Ask, Sample
from deployment_gate.load.plan import LoadPlan, Stage
from deployment_gate.load.resources import Seen
from deployment_gate.load.seconds import LoadSecond, merged
from deployment_gate.probes.sampler import Answer

SAMPLE_RATE = 20.0
"""Requests a second beside the load; an environment's own where it says nothing else."""

_TIMEOUT_S = 30.0


def run_own(task: Task) -> tuple[Told, Told]:
    """Load by this suite, in one process; what its sampler and what its generator tell.

    Raises:
        BenchmarkError: Some answers weren't right, or couldn't be asked for.
    """
    plan = LoadPlan(
        name="benchmark",
        host=task.base_url,
        stages=(Stage(WARM_UP_S + task.duration_s, task.rate, USERS),),
        spawn_rate=USERS,
        warm_up_s=WARM_UP_S,
        timeout_s=_TIMEOUT_S,
    )
    os.environ["OWN_PATH"] = task.path
    restart(task.base_url)
    taken = asyncio.run(
        put_load(
            plan,
            LoadGenerator(plan, ROOT / "benchmarks" / "own_locustfile.py"),
            [
                Ask(
                    endpoint="beside",
                    url=task.base_url + task.path,
                    timeout_s=_TIMEOUT_S,
                    holds=_is_right,
                )
            ],
            sample_rate=SAMPLE_RATE,
            user_agent="benchmark/1",
            bounds=Bounds(stop_above=1.0),
            look_at_machines=Seen,
            tell=lambda _second, _samples: None,
        )
    )
    seconds = [
        one for one in taken.seconds if WARM_UP_S <= one.second < WARM_UP_S + task.duration_s
    ]
    right = sum(endpoint.right for one in seconds for endpoint in one.endpoints.values())
    reached = right / task.duration_s
    return _of_samples(_samples_of(taken, seconds), reached), _of_seconds(seconds, reached)


def _is_right(answer: Answer) -> bool:
    return b"items" in answer.body


def _samples_of(taken: LoadTaken, seconds: Sequence[LoadSecond]) -> list[Sample]:
    begin, end = seconds[0].at, seconds[-1].at + timedelta(seconds=1)
    return [one for one in taken.samples if begin <= one.at < end]


def _of_samples(samples: Sequence[Sample], reached: float) -> Told:
    for one in samples:
        if not one.right:
            raise BenchmarkError(f"the sampler: {one.error or one.unobserved or 'throttled'}")
    counts = Counter(one.from_due_s * 1000 for one in samples)
    p50_ms, p95_ms, p99_ms = (percentile(counts, share) for share in SHARES)
    return Told(reached, p50_ms, p95_ms, p99_ms)


def _of_seconds(seconds: Sequence[LoadSecond], reached: float) -> Told:
    endpoints = [endpoint for one in seconds for endpoint in one.endpoints.values()]
    wrong = sum((Counter(endpoint.wrong) for endpoint in endpoints), Counter[str]())
    if wrong:
        raise BenchmarkError(f"the generator: {dict(wrong)}")
    histogram = merged(endpoint.from_due for endpoint in endpoints)
    p50_ms, p95_ms, p99_ms = (
        histogram.get_value_at_percentile(100 * share) / 1000 for share in SHARES
    )
    return Told(reached, p50_ms, p95_ms, p99_ms)
