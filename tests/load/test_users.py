"""Users whose requests keep to a schedule, and what counts as answered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deployment_gate.load.generator import LoadGenerator
from deployment_gate.load.plan import VARIABLE, LoadPlan, Stage
from deployment_gate.load.seconds import LoadSecond, merged

ROOT = Path(__file__).parents[2]
LOCUSTFILE = ROOT / "validation" / "performance" / "locustfile.py"

ASKS_IN_VAIN = """
from locust import task
from deployment_gate.load.users import PacedUser

class Asks(PacedUser):
    @task
    def ask_in_vain(self):
        self.ask("GET", "/wrong", name="wrong", holds="right")

    @task
    def ask_too_often(self):
        self.ask("GET", "/throttled", name="throttled", holds=lambda answer: True)
"""
CarryOut = Callable[..., list[LoadSecond]]


def test_requests_arrive_evenly_and_as_many_as_scheduled(carry_out: CarryOut, target: Any) -> None:
    seconds = carry_out(stages=(Stage(3, 100, 10),))
    assert sum(second.due for second in seconds) == pytest.approx(300, abs=10)
    assert sum(second.sent for second in seconds) == sum(second.due for second in seconds)
    arrived = target.seen("/right")
    gaps = [later - earlier for earlier, later in pairwise(arrived[50:])]
    # Bunched, all ten come at once, and then nothing does for 100 ms.
    assert sorted(gaps)[len(gaps) // 10] > 0.002
    assert sorted(gaps)[len(gaps) * 9 // 10] < 0.025


def test_rate_follows_the_stages(carry_out: CarryOut) -> None:
    seconds = carry_out(stages=(Stage(1, 50, 5), Stage(2, 150, 15)))
    assert [second.due for second in seconds[:3]] == pytest.approx([50, 150, 150], abs=12)


def test_server_that_stalls_shows_from_due_also_where_requests_were_held_back(
    carry_out: CarryOut,
) -> None:
    # One user at 100 a second fills what it may have unanswered in a third of the stall.
    seconds = carry_out("/stall", stages=(Stage(3, 100, 1),))
    endpoints = [second.endpoints["it"] for second in seconds if second.endpoints]
    from_due = merged(endpoint.from_due for endpoint in endpoints)
    from_sent = merged(endpoint.from_sent for endpoint in endpoints)
    assert sum(second.held_back for second in seconds) == pytest.approx(68, abs=10)
    assert sum(second.due for second in seconds) == pytest.approx(300, abs=3)
    # Of 300, 100 were due in the stall of a second, and half of those waited for over half of it.
    late = 500_000
    slow_from_due = _above(from_due, late)
    slow_from_sent = _above(from_sent, late)
    assert slow_from_due == pytest.approx(50, abs=10)
    assert slow_from_sent < slow_from_due - 10


def test_wrong_content_and_throttling_never_count_as_right(carry_out: CarryOut) -> None:
    seconds = carry_out(locustfile=ASKS_IN_VAIN, stages=(Stage(2, 100, 5),))
    wrong = [second.endpoints["wrong"] for second in seconds if "wrong" in second.endpoints]
    assert {reason for endpoint in wrong for reason in endpoint.wrong} == {"wrong content"}
    throttled = [
        second.endpoints["throttled"] for second in seconds if "throttled" in second.endpoints
    ]
    assert {reason for endpoint in throttled for reason in endpoint.wrong} == set()
    assert sum(endpoint.right for endpoint in (*wrong, *throttled)) == 0
    assert {endpoint.from_due for endpoint in (*wrong, *throttled)} == {""}
    bad = sum(sum(one.wrong.values()) for one in wrong) + sum(one.throttled for one in throttled)
    assert bad == sum(second.sent for second in seconds) > 150


def test_platforms_locustfile_gets_right_answers_from_the_sandbox(
    sandbox_url: str, run: Callable[[LoadGenerator], list[LoadSecond]]
) -> None:
    plan = LoadPlan("test", sandbox_url, (Stage(3, 60, 6),), 6, 0, 5)
    seconds = run(LoadGenerator(plan, LOCUSTFILE, cwd=ROOT))
    names = {name for second in seconds for name in second.endpoints}
    assert names == {"sign in", "browse policies", "open a policy", "search"}
    ends = [endpoint for second in seconds for endpoint in second.endpoints.values()]
    assert [endpoint.wrong for endpoint in ends if endpoint.wrong or endpoint.throttled] == []
    # Signing in is recorded, but isn't part of the schedule.
    assert sum(endpoint.right for endpoint in ends) == 6 + sum(second.sent for second in seconds)


def test_platforms_locustfile_runs_by_itself(sandbox_url: str) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", LOCUSTFILE, "--headless"),
            *("-u", "5", "-r", "5", "-t", "3s", "--only-summary", "--host", sandbox_url),
        ],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != VARIABLE},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "sign in" in done.stdout + done.stderr
    assert "0(0.00%)" in done.stdout + done.stderr


def _above(histogram: Any, value_us: int) -> int:
    return sum(
        item.count_at_value_iterated_to
        for item in histogram.get_recorded_iterator()
        if item.value_iterated_to > value_us
    )
