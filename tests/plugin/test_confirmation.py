"""What is suspected is looked into until it is decided, and a healthy run pays nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

FAILING = Reply(status=503)
API = "api: {base_url: TARGET}\n"
ERRORS = """
  errors:
    condition: "Error rate > 5% for 1 second"
    action: rollback
    timeout: 8s
    samples: 10
    SURE
"""
ASK = """
    @pytest.mark.parametrize("number", range(10))
    def test_it(api, number):
        api.get("/orders")
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with an API and a trigger on its errors."""
    path = project.path / "environments/here.yaml"
    errors = ERRORS.replace("SURE", "")
    text = path.read_text().replace("rollback_triggers:\n", f"rollback_triggers:{errors}")
    path.write_text(text + API.replace("TARGET", text.split('url: "')[1].split("/health")[0]))
    project.check(ASK, category="api")
    return project


def change(project: Project, old: str, new: str) -> None:
    """Change the environment file."""
    path = project.path / "environments/here.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def states(project: Project) -> dict[str, str]:
    """The state of each trigger."""
    return {one["name"]: one["state"] for one in project.reports().verdict["triggers"]}


def failing_for(requests: int) -> Iterator[Reply]:
    """So many failures, and then it is well."""
    return chain(repeat(FAILING, requests), repeat(Reply()))


def test_a_healthy_run_asks_nothing_twice(shop: Project, target: Target) -> None:
    done = shop.run()
    assert done.exit_code == 0, done.output
    assert target.counts["GET /orders"] == 10
    assert done.reports.observations("control") == []


def test_errors_that_go_on_throughout_the_period_roll_back(shop: Project, target: Target) -> None:
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run()
    assert done.exit_code == 10, done.output
    assert states(shop) == {"errors": "fired", "health_check_failure": "clear"}
    # All that was asked, so that the share stays what it is of.
    asked = {one["subject"] for one in done.reports.observations("request")}
    assert asked == {"GET /orders"}
    assert len(done.reports.observations("health")) > 10
    assert "errors is suspected: 10 of" in done.output
    assert "again every 0.05 s, for 8 s at most" in done.output


def test_errors_that_end_are_cleared_and_told(shop: Project, target: Target) -> None:
    target.answers["/orders"] = failing_for(10)
    done = shop.run()
    assert done.exit_code == 0, done.output
    assert states(shop)["errors"] == "clear"
    assert target.counts["GET /orders"] > 10


def test_what_cannot_be_decided_in_time_is_a_hold(shop: Project, target: Target) -> None:
    change(shop, "samples: 10", "samples: 10000")
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert states(shop)["errors"] == "suspected"


def test_without_confirmation_a_suspicion_is_a_hold_at_once(shop: Project, target: Target) -> None:
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run("--confirm=off")
    assert done.exit_code == 1, done.output
    assert states(shop)["errors"] == "suspected"
    assert target.counts["GET /orders"] == 10


def test_a_total_outage_is_decided_before_the_period_is_full_where_that_is_allowed(
    shop: Project, target: Target
) -> None:
    change(shop, '"Error rate > 5% for 1 second"', '"Error rate > 5% for 1 hour"')
    change(shop, "samples: 10", "samples: 10\n    decide: early")
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run()
    assert done.exit_code == 10, done.output
    assert "decided early at 95 % confidence" in done.reports.why


def test_what_only_a_sign_in_showed_is_not_hidden_by_asking_the_others(
    shop: Project, target: Target
) -> None:
    change(shop, API.partition(" ")[0], "allow: {writes: true}\napi:")
    shop.check(
        """
        @pytest.mark.writes
        @pytest.mark.parametrize("number", range(10))
        def test_it(api, number):
            api.post("/orders")
        """,
        category="api",
    )
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert states(shop)["errors"] == "suspected"
    assert target.counts["POST /orders"] == 10


def test_where_a_control_fails_as_well_it_is_a_hold_and_never_a_rollback(
    project: Project, target: Target
) -> None:
    change(
        project,
        "sampler: {interval: 50ms}",
        f"sampler: {{interval: 50ms, controls: ['{target.url}/status']}}",
    )
    target.answers["/health/api"] = repeat(FAILING)
    target.answers["/status"] = cycle([Reply(status=502)])
    done = project.run()
    assert done.exit_code == 1, done.output
    assert states(project) == {"health_check_failure": "unobserved"}
    assert f"the control {target.url}/status answered 502" in done.reports.why


def test_each_confirming_round_asks_this_machine_too(project: Project, target: Target) -> None:
    target.answers["/health/api"] = repeat(FAILING)
    done = project.run()
    assert done.exit_code == 10
    controls = done.reports.observations("control")
    assert {one["subject"] for one in controls} == {"this machine's loopback"}
    assert [one["status"] for one in controls] == [204, 204]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_refusal_to_be_asked_so_often_is_no_failure_and_is_heeded(
    project: Project, target: Target, form: str
) -> None:
    later = {
        "seconds": "1",
        "date": format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True),
    }[form]
    change(project, '"5 seconds"', '"10 seconds"')
    limited = Reply(status=429, headers={"Retry-After": later})
    target.answers["/health/api"] = chain([limited], repeat(Reply()))
    done = project.run()
    looks = [one for one in done.reports.observations("health") if one["subject"] == "api_service"]
    if form == "date":
        # Later than the trigger waits.
        assert done.exit_code == 1, done.output
        assert [one["status"] for one in looks] == [429]
        return
    assert done.exit_code == 0, done.output
    first, second, *_ = (datetime.fromisoformat(one["at"]) for one in looks)
    assert second - first >= timedelta(seconds=1)


def test_once_health_has_fired_what_depends_on_it_is_not_run(shop: Project, target: Target) -> None:
    target.answers["/health/api"] = repeat(FAILING)
    done = shop.run("-n", "2")
    assert done.exit_code == 10, done.output
    assert target.counts["GET /orders"] == 0
    ended = done.reports.outcomes
    assert [ended[f"test_it[{number}]"] for number in range(10)] == ["not_run"] * 10
    assert "10 checks of api not run: health_check_failure has fired: api_service" in (
        done.reports.why
    )
    assert "10 not run" in done.output


def test_a_health_trigger_that_only_notifies_stops_nothing(shop: Project, target: Target) -> None:
    change(shop, '"Automatic rollback to previous version"', "notify")
    target.answers["/health/api"] = repeat(FAILING)
    done = shop.run("--confirm=off")
    assert target.counts["GET /orders"] == 10
    assert done.exit_code == 1


def test_a_failing_control_neither_fires_nor_clears_a_share(shop: Project, target: Target) -> None:
    sampler = "sampler: {interval: 50ms"
    change(shop, sampler, f"{sampler}, controls: ['{target.url}/status']")
    target.answers["/orders"] = repeat(FAILING)
    target.answers["/status"] = cycle([Reply(status=502)])
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert states(shop)["errors"] == "unobserved"


def test_of_more_requests_than_go_at_once_a_share_stays_what_it_is_of_all(
    shop: Project, target: Target
) -> None:
    change(shop, "sampler: {interval: 50ms", "sampler: {interval: 50ms, concurrency: 8")
    shop.check(
        """
        @pytest.mark.parametrize("number", range(40))
        def test_it(api, number):
            api.get(f"/orders/{number}")
        """,
        category="api",
    )
    for number in range(30, 40):
        target.answers[f"/orders/{number}"] = repeat(FAILING)
    done = shop.run()
    assert done.exit_code == 10, done.output
    asked_again = [n for n in range(40) if target.counts[f"GET /orders/{n}"] > 1]
    assert len(asked_again) > 20  # eight at a time, drawn anew
    assert {*asked_again} & {*range(30, 40)}


def test_requests_of_one_path_that_ask_for_something_else_are_each_asked_again(
    shop: Project, target: Target
) -> None:
    shop.check(
        """
        @pytest.mark.parametrize("query", ["?q=bad", "?q=good", ""])
        def test_it(api, query):
            api.get(f"/orders{query}")
        """,
        category="api",
    )
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run()
    assert done.exit_code == 10, done.output
    again = [one for one in done.reports.observations("request") if "confirms" in one["facts"]]
    asked = {one["facts"]["url"].rpartition("/orders")[2] for one in again}
    assert asked == {"?q=bad", "?q=good", ""}
