"""`findings.sarif`, held against the standard's own schema and read by a reader of others."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from deployment_gate.environment import WaiverRule
from deployment_gate.evidence import CheckOutcome, FindingSeverity, Outcome, PlannedCheck, RunEnd
from deployment_gate.judgement import Decision, judge
from deployment_gate.reports.account import Account
from deployment_gate.reports.sarif import (
    FINGERPRINT,
    SarifError,
    fingerprints_in,
    render_sarif,
)
from tests.reports.findings import ALL, CHECK, HEALTH, POLICY, START, account_of, found


@cache
def _validator() -> Draft4Validator:
    path = Path(__file__).with_name("sarif-schema-2.1.0.json")
    return Draft4Validator(
        json.loads(path.read_text(encoding="utf-8")), format_checker=Draft4Validator.FORMAT_CHECKER
    )


def log_of(account: Account) -> Any:
    """The one run of a file, which fits the schema."""
    log = json.loads(render_sarif(account))
    assert [error.message for error in _validator().iter_errors(log)] == []
    assert log["$schema"] == _validator().schema["id"]
    (run,) = log["runs"]
    return run


def test_the_schema_refuses_what_is_no_sarif() -> None:
    log = json.loads(render_sarif(account_of(*ALL)))
    log["runs"][0]["results"][0]["level"] = "critical"
    log["runs"][0]["tool"] = {}
    assert len(list(_validator().iter_errors(log))) == 2


def test_without_findings_it_is_whole_and_empty() -> None:
    run = log_of(account_of())
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"] == []
    assert run["automationDetails"]["id"] == "deployment-gate/staging/0123abcd"


def test_each_finding_is_a_result_as_bad_as_it_is_the_worst_first() -> None:
    results = log_of(account_of(*ALL))["results"]
    assert [(one["ruleId"], one["level"], one["properties"]["standing"]) for one in results] == [
        ("stranger-let-in", "error", "holds"),
        ("weak", "warning", "holds"),
        ("leak", "note", "warns"),
        ("leak", "note", "warns"),
        ("waived", "error", "waived"),
    ]
    first = results[0]
    assert first["message"]["text"] == (
        "A stranger is let in: GET /policies/{{id}} was answered 200 (at api GET /policies/{{id}})"
    )
    assert first["partialFingerprints"] == {FINGERPRINT: ALL[0].fingerprint}
    assert first["properties"]["check"] == CHECK
    assert first["properties"]["curl"].startswith("curl --include")


def test_each_rule_is_told_once_with_its_source_and_how_to_mend_it() -> None:
    run = log_of(account_of(*ALL))
    rules = run["tool"]["driver"]["rules"]
    assert [
        (one["id"], one["properties"]["security-severity"], one.get("helpUri")) for one in rules
    ] == [
        (
            "stranger-let-in",
            "9.5",
            "https://owasp.org/www-project-application-security-verification-standard/",
        ),
        ("weak", "5.5", "https://wiki.mozilla.org/Security/Server_Side_TLS"),
        (
            "leak",
            "3.0",
            "https://owasp.org/www-project-application-security-verification-standard/",
        ),
        ("waived", "8.0", "https://www.rfc-editor.org/rfc/rfc9116"),
    ]
    assert rules[0]["help"]["text"] == "Ask who it is.\n\nRule: OWASP ASVS 5.0, 8.3.1."
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_what_is_waived_is_suppressed_with_the_reason_and_nothing_else_is() -> None:
    results = log_of(account_of(*ALL))["results"]
    assert [len(one["suppressions"]) for one in results] == [0, 0, 0, 0, 1]
    assert results[-1]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "issue 12 (Ada, until 2026-12-31)",
        }
    ]


def test_what_is_waived_at_some_places_alone_is_not_suppressed_and_says_where() -> None:
    partly = WaiverRule(
        "", "issue 3", "Bob", START.date(), finding="stranger-let-in", place="api GET /a"
    )
    some = account_of(
        found("stranger-let-in", FindingSeverity.CRITICAL, "api GET /a", "api GET /b")
    )
    verdict = judge(replace(POLICY, waivers=(partly,)), some.evidence)
    (result,) = log_of(replace(some, verdict=verdict))["results"]
    assert result["suppressions"] == []
    assert (
        "(waived at api GET /a until 2026-11-23 by Bob (issue 3); not at api GET /b)"
        in (result["message"]["text"])
    )


@pytest.mark.parametrize(
    ("place", "artifact"),
    [
        ("api GET /policies/{id}", {"uri": "policies/%7Bid%7D", "uriBaseId": "API"}),
        ("web GET /RANDOM (404)", {"uri": "RANDOM", "uriBaseId": "WEB"}),
        ("api /metrics", {"uri": "metrics", "uriBaseId": "API"}),
        ("web GET /", {"uri": ".", "uriBaseId": "WEB"}),
        ("api GET /a?q=%27 x", {"uri": "a?q=%27", "uriBaseId": "API"}),
        ("127.0.0.1:18443", {"uri": "//127.0.0.1:18443"}),
        ("[::1]:443", {"uri": "//[::1]:443"}),
        ("the cookie session", None),
    ],
)
def test_a_place_is_named_and_has_an_address_where_it_is_one(
    place: str, artifact: dict[str, str] | None
) -> None:
    one = found("a", FindingSeverity.HIGH, place)
    ((location,),) = [one["locations"] for one in log_of(account_of(one))["results"]]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == place
    told = location.get("physicalLocation", {}).get("artifactLocation")
    assert told == artifact


def test_what_was_sent_and_received_is_told_in_parts() -> None:
    (result,) = log_of(account_of(found()))["results"]
    assert result["webRequest"] == {
        "method": "POST",
        "target": "https://127.0.0.1/api/login",
        "headers": {"Authorization": "Bearer [redacted]", "Accept-Language": "de"},
        "body": {"text": '{"user": "ada"}'},
    }
    assert result["webResponse"] == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "Set-Cookie": "a=b, c=d"},
        "body": {"text": '{"ok": true}'},
    }


@pytest.mark.parametrize("exchange", ["", "a handshake failed", "> GET http://a/", "< 200"])
def test_an_exchange_of_another_kind_is_kept_as_it_is(exchange: str) -> None:
    (result,) = log_of(account_of(found(exchange=exchange)))["results"]
    assert result["properties"].get("exchange", "") == exchange
    assert "webResponse" not in result


def test_what_was_not_looked_at_is_told_so_that_nothing_found_is_no_good_news() -> None:
    others = [f"{CHECK}_{name}" for name in ("silent", "unobserved", "left_out")]
    silent, unobserved, left_out = others
    usual = account_of()
    some = account_of(
        plan=(
            *usual.evidence.plan,
            PlannedCheck(id=silent, category="security"),
            PlannedCheck(id=unobserved, category="security"),
            PlannedCheck(id=left_out, category="security", left_out="no leave to write"),
        ),
        outcomes=(
            *usual.evidence.outcomes,
            CheckOutcome(
                id=unobserved,
                outcome=Outcome.FAILED,
                at=START,
                duration_s=1,
                message="not observed: answered 429",
            ),
        ),
    )
    (invocation,) = log_of(some)["invocations"]
    assert [
        (one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]
    ] == [
        ("error", f"{silent}: it did not report"),
        ("error", f"{unobserved}: not observed: answered 429"),
        ("note", f"{left_out}: left out: no leave to write"),
    ]


def test_a_run_without_checks_of_security_says_so() -> None:
    (invocation,) = log_of(account_of(plan=(PlannedCheck(id=HEALTH, category="health"),)))[
        "invocations"
    ]
    (told,) = invocation["toolExecutionNotifications"]
    assert told["message"]["text"] == "no check of security was carried out"


@pytest.mark.parametrize(("end", "is_successful"), [(None, False), (3, False), (1, True)])
def test_a_run_that_did_not_end_normally_is_no_success(
    end: int | None,
    is_successful: bool,  # noqa: FBT001  # a case
) -> None:
    told = account_of(end=None if end is None else RunEnd(at=START, exit_status=end))
    (invocation,) = log_of(told)["invocations"]
    assert invocation["executionSuccessful"] is is_successful
    assert invocation["exitCode"] == told.exit_code


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(texts=st.lists(TEXT, min_size=9, max_size=9), severity=st.sampled_from(FindingSeverity))
def test_whatever_a_finding_says_the_file_fits_the_schema(
    texts: list[str], severity: FindingSeverity
) -> None:
    names = ("rule", "title", "detail", "source", "remedy", "exchange", "curl", "check")
    one = replace(
        found(), severity=severity, places=(texts[8],), **dict(zip(names, texts, strict=False))
    )
    run = log_of(account_of(one))
    assert run["results"][0]["partialFingerprints"] == {FINGERPRINT: one.fingerprint}


def test_the_fingerprints_of_a_file_are_those_of_the_evidence() -> None:
    told = account_of(*ALL)
    assert fingerprints_in(render_sarif(told)) == {one.fingerprint: 1 for one in ALL}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"runs": [{"results": [{}]}]}', "[" * 100_000])
def test_another_text_has_no_fingerprints(text: str) -> None:
    with pytest.raises(SarifError, match="no SARIF file of the gate"):
        fingerprints_in(text)


def test_the_verdict_of_all_these_is_a_hold() -> None:
    assert account_of(*ALL).verdict.decision is Decision.HOLD
