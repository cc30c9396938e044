"""Checks of an API: what they are repeated for, what they need, what their reports show."""

from __future__ import annotations

import json
import os
import signal
import time
from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

PASSWORD = "correct-horse-battery"
TOKEN = "opaque-token-0123456789abcdef"

API = """
api:
  base_url: "TARGET"
  login: {request: POST /login}
  identities: {buyer: {username: buyer, password: "${GATE_PASSWORD}"}}
  collections:
    orders: {path: /orders, item: "/orders/{{id}}", draft: {item: book}}
    books: {path: /books, public: true}
  facts: {release: [/version $.release, /orders $.release]}
  journeys:
    look:
      smoke: true
      steps:
        - {request: GET /orders, identity: buyer, expect: {jsonpath: {$.status: ok}}}
    buy:
      writes: true
      steps:
        - {name: order a book, request: POST /orders, identity: buyer, capture: {id: $.id}}
        - {request: "GET /orders/{{id}}", identity: buyer}
      cleanup:
        - {request: "DELETE /orders/{{id}}", identity: buyer}
"""
JOURNEYS = """
    pytestmark = pytest.mark.needs("api.journeys")

    def test_journey(journey):
        run = journey()
        assert run.went_well, run.account
"""


@pytest.fixture
def shop(project: Project, target: Target, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that validates an API with a sign-in."""
    monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
    project.environment(API)
    target.answers["/login"] = repeat(Reply(body=json.dumps({"access_token": TOKEN})))
    return project


def test_a_check_is_repeated_for_each_list_identity_fact_and_journey(shop: Project) -> None:
    shop.check(
        """
        def test_list(collection):
            assert collection.name

        def test_identity(identity):
            assert identity

        def test_fact(fact):
            assert fact.name

        def test_journey(journey):
            assert journey
        """,
        category="api",
    )
    done = shop.run("-m", "api")
    assert set(done.reports.outcomes) == {
        "test_list[orders]",
        "test_list[books]",
        "test_identity[buyer]",
        "test_fact[release]",
        "test_journey[look]",
    }
    assert done.reports.left_out == {"test_journey[buy]": "writes: here gives no leave for it"}


def test_a_journey_is_in_the_smoke_tier_where_it_says_so(shop: Project) -> None:
    shop.check(JOURNEYS, category="api")
    assert shop.run("-m", "smoke").reports.outcomes.keys() >= {"test_journey[look]"}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("api.search", "here has no `api.search`"),
        ("api.search.path", "here has no `api.search.path`"),
        ("api.login.form", "here has no `api.login.form`"),
        ("databases", "here has no `databases`"),
        ("--baseline", "no --baseline was given"),
    ],
)
def test_a_check_that_needs_what_is_not_there_is_left_out_with_the_reason(
    shop: Project, entry: str, reason: str
) -> None:
    shop.check(f"@pytest.mark.needs('api', '{entry}')\ndef test_it():\n    pass\n", category="api")
    done = shop.run()
    assert done.reports.left_out == {"test_it": reason}
    assert reason in done.reports["evidence.jsonl"]


def test_what_a_list_lacks_leaves_the_check_out_for_that_list_only(shop: Project) -> None:
    shop.check(
        "@pytest.mark.needs('api.collections.{collection}.item')\n"
        "def test_it(collection):\n    pass\n",
        category="api",
    )
    done = shop.run()
    assert done.reports.left_out == {"test_it[books]": "here has no `api.collections.books.item`"}
    assert done.reports.outcomes["test_it[orders]"] == "passed"


def test_what_no_environment_can_have_is_a_misspelling(shop: Project) -> None:
    shop.check("@pytest.mark.needs('api.lgoin')\ndef test_it():\n    pass\n", category="api")
    done = shop.run()
    assert done.exit_code == 4
    assert "needs: there is no entry 'lgoin'. Did you mean 'login'" in done.output


def test_a_check_of_lists_is_left_out_where_there_are_none(project: Project) -> None:
    project.environment('api: {base_url: "TARGET"}\n')
    project.check(
        "pytestmark = pytest.mark.needs('api.collections.{collection}')\n"
        "def test_it(collection):\n    pass\n",
        category="api",
    )
    done = project.run("-m", "api or health")
    assert list(done.reports.left_out.values()) == ["here has no `api.collections`"]


def test_each_step_is_in_the_report_with_its_request_and_answer(
    shop: Project, target: Target
) -> None:
    shop.environment(f"{API}allow: {{writes: true}}\n")
    shop.check(JOURNEYS, category="api")
    made = Reply(status=201, body=json.dumps({"id": 7, "token": TOKEN}))
    target.answers["/orders"] = repeat(made)
    target.answers["/orders/7"] = chain([Reply(status=500)], repeat(Reply()))
    done = shop.run("-m", "api")
    assert done.exit_code == 1
    assert "step 2, GET /orders/{{id}}: answered 500; expected a success" in done.reports.why
    report = done.reports["report.html"]
    for told in (
        "# step 1, order a book",
        f"POST {target.url}/orders  (as buyer)",
        "# step 2, GET /orders/",
        "# cleaning up, DELETE /orders/",
    ):
        assert told.replace("&", "&amp;") in report, told
    assert f"> GET {target.url}/orders/7  (as buyer)" in done.output
    assert target.counts["DELETE /orders/7"] == 1
    for name, text in {**done.reports.texts, "terminal": done.output}.items():
        assert TOKEN not in text, name
        assert PASSWORD not in text, name


def test_a_step_shows_in_the_report_of_a_journey_that_went_well(shop: Project) -> None:
    shop.check(JOURNEYS, category="api")
    done = shop.run("-m", "api")
    assert done.exit_code == 0
    assert "# step 1, GET /orders" in done.reports["report.html"]


def test_who_cannot_sign_in_is_told_without_the_way_there(shop: Project, target: Target) -> None:
    target.answers["/login"] = repeat(Reply(status=503))
    shop.check("def test_it(api_as):\n    api_as('buyer').get('/')\n", category="api")
    done = shop.run()
    assert done.exit_code == 1
    assert "failed: signing in as buyer was answered 503" in done.reports.why


def test_what_is_provoked_counts_for_no_rate(shop: Project, target: Target) -> None:
    shop.write(
        "environments/here.yaml",
        f"api: {{base_url: '{target.url}'}}\n"
        "rollback_triggers:\n"
        "  errors: {condition: Error rate > 5% for 2 minutes, action: rollback, timeout: 2m}\n",
    )
    target.answers["/odd"] = repeat(Reply(status=500))
    check = """
        MARK
        @pytest.mark.parametrize("number", range(30))
        def test_it(api, number):
            api.get("/odd")
    """
    for mark, state in (("@pytest.mark.provokes", "unobserved"), ("", "suspected")):
        shop.check(check.replace("MARK", mark), category="api")
        verdict = shop.run("--confirm=off").reports.verdict
        states = {trigger["name"]: trigger["state"] for trigger in verdict["triggers"]}
        assert states["errors"] == state, mark


def test_an_item_of_a_check_is_removed_also_where_the_check_fails(
    shop: Project, target: Target
) -> None:
    shop.environment(f"{API}allow: {{writes: true}}\n")
    target.answers["/orders"] = repeat(Reply(status=201, body='{"id": 7}'))
    shop.check(
        """
        @pytest.mark.writes
        def test_it(make_item):
            assert make_item("orders").id == 8
        """,
        category="api",
    )
    done = shop.run()
    assert done.reports.outcomes["test_it"] == "failed"
    assert target.counts["DELETE /orders/7"] == 1


def test_an_item_that_cannot_be_removed_is_told_by_its_address(
    shop: Project, target: Target
) -> None:
    shop.environment(f"{API}allow: {{writes: true}}\n")
    target.answers["/orders"] = repeat(Reply(status=201, body='{"id": 7}'))
    target.answers["/orders/7"] = repeat(Reply(status=500))
    shop.check(
        "@pytest.mark.writes\ndef test_it(make_item):\n    make_item('orders')\n", category="api"
    )
    done = shop.run()
    assert done.exit_code == 1
    assert (
        "remove by hand what the check made: DELETE /orders/7 was answered 500" in done.reports.why
    )


def test_a_cookie_of_one_check_signs_nobody_in_in_the_next(shop: Project, target: Target) -> None:
    target.answers["/orders"] = repeat(Reply(headers={"Set-Cookie": "session=abc"}))
    shop.check(
        """
        def test_it(api):
            api.get("/orders")
            assert "Cookie" not in api.get("/orders").request.headers
        """,
        category="api",
    )
    assert shop.run().exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "can't be read"),
        ("no: document", "OpenAPI"),
        ("{", "old.json"),
    ],
)
def test_a_baseline_that_is_none_ends_the_run_before_anything_is_asked(
    shop: Project, target: Target, text: str | None, told: str
) -> None:
    if text is not None:
        shop.write("old.json", text)
    done = shop.run("--baseline", "old.json")
    assert done.exit_code == 4
    assert "old.json" in done.output
    assert told in done.output
    assert not target.requests


def test_an_empty_baseline_is_an_error(shop: Project) -> None:
    done = shop.run("--baseline=")
    assert done.exit_code == 4
    assert "--baseline is empty" in done.output


def test_what_shows_who_somebody_is_goes_to_the_api_alone(shop: Project, target: Target) -> None:
    shop.check(
        """
        def test_it(api_as):
            api_as("buyer").get("http://localhost:9/version")
        """,
        category="api",
    )
    done = shop.run()
    assert "http://localhost:9/version was not sent: what shows who buyer is goes to" in (
        done.reports.why
    )
    assert target.counts["POST /login"] == 1


def test_a_refused_password_is_offered_once_whatever_needs_it(
    shop: Project, target: Target
) -> None:
    target.answers["/login"] = repeat(Reply(status=401))
    shop.check(
        """
        @pytest.mark.parametrize("number", range(6))
        def test_it(api_as, number):
            api_as("buyer").get("/orders")
        """,
        category="api",
    )
    done = shop.run()
    assert list(done.reports.outcomes.values()).count("failed") == 6
    assert target.counts["POST /login"] == 1


@pytest.mark.parametrize("how", ["timeout", "SIGTERM to all processes"])
def test_a_journey_that_is_cut_off_cleans_up(shop: Project, target: Target, how: str) -> None:
    shop.environment(f"{API}allow: {{writes: true}}\n")
    shop.write(
        "environments/here.yaml",
        (shop.path / "environments/here.yaml").read_text().replace("30s", "2s"),
    )
    shop.check(JOURNEYS, category="api")
    target.answers["/orders"] = repeat(Reply(status=201, body='{"id": 7}'))
    target.answers["/orders/7"] = chain([Reply(is_hanging=True)], repeat(Reply()))
    if how == "timeout":
        shop.run("-m", "api", "-k", "buy", "-o", "timeout=1")
    else:
        with shop.running("-n", "1", "-k", "buy", is_leading=True) as process:
            deadline = time.monotonic() + 30
            while "GET /orders/7" not in target.requests:
                assert time.monotonic() < deadline, "the journey never came that far"
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=30)
    assert target.counts["DELETE /orders/7"] == 1
