"""What a load is to be, and when each request of it is due."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from deployment_gate.load.pace import Pace, phase_of
from deployment_gate.load.plan import LoadPlan, Stage

PLAN = LoadPlan(
    name="stress",
    host="http://127.0.0.1:1",
    stages=(Stage(10, 100, 20), Stage(10, 200, 40)),
    spawn_rate=10,
    warm_up_s=2,
    timeout_s=5,
)


def test_plan_survives_being_handed_over() -> None:
    assert LoadPlan.from_json(PLAN.to_json()) == PLAN


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"stages": []}', PLAN.to_json().replace("200", "0"), PLAN.to_json()[:-1]],
)
def test_what_is_no_plan_is_one_clear_error(text: str) -> None:
    with pytest.raises(ValueError, match="no plan of a load"):
        LoadPlan.from_json(text)


def test_plan_lasts_as_long_as_its_stages_and_has_a_level_at_each_moment() -> None:
    assert (PLAN.duration_s, PLAN.users) == (20, 40)
    assert [PLAN.level_at(t_s).arrival_rate for t_s in (0, 9.99, 10, 20, 99)] == [
        100,
        100,
        200,
        200,
        200,
    ]


def test_users_of_the_first_stage_each_keep_their_share_of_its_rate() -> None:
    pace = Pace(PLAN)
    assert pace.rounds_at(2) == pytest.approx(2 * 100 / 20)
    assert pace.moment_of(pace.rounds_at(7.3)) == pytest.approx(7.3)


def test_rate_holds_while_more_users_begin() -> None:
    pace = Pace(PLAN)
    # Locust begins 10 users a second: 30, then 40, share 200 requests.
    assert pace.rounds_at(11) - pace.rounds_at(10) == pytest.approx(200 / 30)
    assert pace.rounds_at(12) - pace.rounds_at(11) == pytest.approx(200 / 40)
    assert pace.moment_of(pace.rounds_at(11.5)) == pytest.approx(11.5)


@pytest.mark.parametrize("users", [1, 2, 7, 100, 105])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_requests_of_all_users_are_spread_over_a_round(users: int, workers: int) -> None:
    phases = sorted(
        phase_of(number // workers, worker=number % workers, users=users) for number in range(users)
    )
    gaps = [later - earlier for earlier, later in pairwise([*phases, phases[0] + 1])]
    assert max(gaps) <= 3 / users


def test_pace_that_falls_ends_with_fewer_users() -> None:
    falling = replace(PLAN, stages=(Stage(1, 100, 20), Stage(5, 10, 2)))
    pace = Pace(falling)
    assert pace.rounds_at(5) - pace.rounds_at(4) == pytest.approx(10 / 2)
