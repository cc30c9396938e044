"""Checks whose failures a trigger counts are carried out again; others are not."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

TRIGGERS = """rollback_triggers:
  orders:
    condition: "Api check fails for 2 consecutive attempts"
    action: rollback
    timeout: 5s
  marked:
    condition: "Check fails for 3 consecutive attempts"
    action: hold
    timeout: 5s
"""
CHECK = """
    MARK
    def test_it(api):
        assert api.get("/orders").status_code == 200, "no orders"
"""


@pytest.fixture
def shop(project: Project, target: Target) -> Project:
    """A project with triggers on its checks of the API."""
    path = project.path / "environments/here.yaml"
    text = path.read_text().replace("rollback_triggers:\n", TRIGGERS)
    path.write_text(f"{text}api: {{base_url: '{target.url}'}}\n")
    project.check(CHECK.replace("MARK", ""), category="api")
    return project


def failing(times: int) -> chain[Reply]:
    """So many failures, and then it is well."""
    return chain(repeat(Reply(status=404), times), repeat(Reply()))


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_check_that_fails_twice_in_a_row_fires_the_trigger_of_its_category(
    shop: Project, target: Target, processes: str
) -> None:
    target.answers["/orders"] = failing(9)
    done = shop.run("-n", processes)
    assert done.exit_code == 10, done.output
    assert target.counts["GET /orders"] == 2
    assert "orders fired: validation/api/test_more.py::test_it failed 2 times in a row" in (
        done.reports.why
    )
    attempts = done.reports.observations("check")
    assert ["no orders" in one["error"] for one in attempts] == [True, True]
    names = [case.get("name") for case in done.reports.junit.iter("testcase")]
    assert names.count("test_it") == 1


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_blip_is_flaky_shown_with_every_attempt_and_holds_only_where_that_is_said(
    shop: Project, target: Target, processes: str
) -> None:
    target.answers["/orders"] = failing(1)
    done = shop.run("-n", processes, "-rA")
    assert done.exit_code == 0, done.output
    assert done.reports.outcomes["test_it"] == "flaky"
    assert done.reports.verdict["checks"]["flaky"] == 1
    (note,) = (one for one in done.reports.verdict["notes"] if one.startswith("flaky"))
    assert "test_it: failed 1 of 2 attempts: no orders" in note
    assert "1 flaky" in done.output
    assert [one.get("error") is None for one in done.reports.observations("check")] == [False, True]
    assert "attempt 1 at" in done.reports["report.html"]

    shop.write(
        "environments/here.yaml",
        (shop.path / "environments/here.yaml").read_text() + "flaky_checks_hold: true\n",
    )
    target.answers["/orders"] = failing(1)
    assert shop.run("-n", processes).exit_code == 1


def test_a_health_endpoint_that_failed_once_is_a_flaky_check(
    project: Project, target: Target
) -> None:
    target.answers["/health/api"] = chain([Reply(status=503)], repeat(Reply()))
    done = project.run()
    assert done.exit_code == 0, done.output
    assert done.reports.outcomes == {
        "test_endpoint_is_healthy[api_service]": "flaky",
        "test_endpoint_is_healthy[database]": "passed",
    }
    # Told once.
    (note,) = done.reports.verdict["notes"]
    assert note.startswith("a blip: api_service failed 1 of 3 attempts")


def test_a_marker_names_another_trigger_than_that_of_the_category(
    shop: Project, target: Target
) -> None:
    shop.check(CHECK.replace("MARK", '@pytest.mark.trigger("marked")'), category="api")
    target.answers["/orders"] = failing(9)
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert target.counts["GET /orders"] == 3
    assert "(it only holds, and would have rolled back)" in done.reports.why


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("markd", "there is no trigger 'markd'. Did you mean 'marked'?"),
        ("errors", "trigger: 'errors' is on a share of answers"),
    ],
)
def test_a_marker_that_names_no_fit_trigger_is_refused(shop: Project, name: str, said: str) -> None:
    path = shop.path / "environments/here.yaml"
    errors = "  errors: {condition: Error rate > 5% for 2s, action: hold, timeout: 2s}\n"
    path.write_text(path.read_text().replace("  marked:\n", f"{errors}  marked:\n"))
    shop.check(CHECK.replace("MARK", f'@pytest.mark.trigger("{name}")'), category="api")
    done = shop.run()
    assert done.exit_code == 4
    assert said in done.output


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise KeyError('name')", "the check itself failed: KeyError: 'name'"),
        ("import time; time.sleep(20)", "Timeout (>1.0s)"),
        ("assert api.get('/limited').status_code == 200", "answered 429"),
        ("import httpx; httpx.get('http://nowhere.invalid')", "test_it"),
    ],
    ids=["its own error", "its own time limit", "a rate limit", "a request past the gate"],
)
def test_what_is_not_seen_to_be_the_targets_failure_is_tried_once_and_never_rolls_back(
    shop: Project, target: Target, body: str, why: str
) -> None:
    target.answers["/limited"] = repeat(Reply(status=429))
    limit = "@pytest.mark.timeout(1)\n" if "sleep" in body else ""
    shop.check(f"{limit}def test_it(api):\n    {body}\n", category="api")
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert why in done.reports.why


@pytest.mark.parametrize("processes", ["0", "2"])
def test_what_an_attempt_told_is_redacted_wherever_it_is_shown(
    shop: Project, processes: str
) -> None:
    secret = "a-token-that-was-just-issued"
    shop.check(
        f"""
        tries = []

        def test_it(keep_secret):
            tries.append(keep_secret("{secret}"))
            assert len(tries) > 1, "it said " + tries[0]
        """.replace(secret, "a-token-" + '" "that-was-just-issued'),
        category="api",
    )
    done = shop.run("-n", processes, "-rA")
    assert done.reports.outcomes["test_it"] == "flaky", done.output
    assert "it said [redacted]" in done.reports.verdict["notes"][0]
    for name, text in done.reports.texts.items():
        assert secret not in text, name
    assert secret not in done.output


def test_each_attempt_has_the_whole_time_limit(shop: Project, target: Target) -> None:
    body = CHECK.replace("MARK", "@pytest.mark.timeout(3)").replace(
        "assert", "import time; time.sleep(2); assert"
    )
    shop.check(body, category="api")
    target.answers["/orders"] = failing(1)
    done = shop.run()
    assert done.reports.outcomes["test_it"] == "flaky", done.output


def test_a_failure_that_no_trigger_counts_is_tried_once(shop: Project, target: Target) -> None:
    shop.write(
        "environments/here.yaml",
        (shop.path / "environments/here.yaml").read_text().replace("Api check", "Security check"),
    )
    target.answers["/orders"] = failing(1)
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert target.counts["GET /orders"] == 1
    assert done.reports.observations("check") == []


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize(("days", "exit_code"), [(0, 0), (-2, 1)])
def test_a_waiver_accepts_a_failure_up_to_its_day(
    shop: Project, target: Target, days: int, exit_code: int, processes: str
) -> None:
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    waiver = f"check: validation/api/*, reason: issue 12, owner: Ada, expires: {day}"
    path = shop.path / "environments/here.yaml"
    path.write_text(f"{path.read_text()}waivers: [{{{waiver}}}]\nrequired: {{full: [health]}}\n")
    target.answers["/orders"] = failing(99)
    change = path.read_text().replace("action: rollback", "action: hold")
    path.write_text(change)
    done = shop.run("-n", processes)
    assert done.exit_code == exit_code, done.output
    assert done.reports.is_red == (exit_code != 0)
    told = done.reports["summary.md"]
    assert ("waived until" in told) == (exit_code == 0)
    assert ("its waiver expired on" in told) == (exit_code == 1)


def test_each_attempt_looks_at_what_checks_share_anew(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", f"sqlite:///{tmp_path}/shop.db")
    path = project.path / "environments/here.yaml"
    trigger = TRIGGERS.replace("Api check", "Infrastructure check")
    text = path.read_text().replace("rollback_triggers:\n", trigger)
    sqlite3.connect(tmp_path / "shop.db").execute("CREATE TABLE orders (id)").connection.close()
    path.write_text(f"{text}databases: {{shop: {{url: '${{SHOP}}'}}}}\n")
    project.check(
        """
        def test_one(look_at_database):
            look_at_database("shop")

        def test_two(look_at_database):
            look_at_database("shop")
            look_at_database("shop")
            assert False, "it is unwell"

        def test_what_comes_after_it():
            pass  # after the last check of a run, pytest tears down what checks share
        """,
        category="infrastructure",
    )

    done = project.run()

    assert done.exit_code == 10, done.output
    # The first check's look, which the second one shares, and one more for its second attempt.
    assert len(done.reports.observations("database")) == 2
