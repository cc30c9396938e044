"""Page, summary, terminal and `verdict.json` tell what was found."""

from __future__ import annotations

import json

import pytest
from markdown_it import MarkdownIt

from deployment_gate.evidence import FindingSeverity
from deployment_gate.judgement import Standing
from deployment_gate.reports.page.render import render_page
from deployment_gate.reports.page.verdict import render_verdict_block
from deployment_gate.reports.summary import render_summary
from deployment_gate.reports.terminal import verdict_lines
from deployment_gate.reports.verdict_file import VerdictFileError, read_verdict, render_verdict
from tests.reports.findings import ALL, CHECK, CURL, EXCHANGE, account_of, found
from tests.reports.test_page import HOSTILE, OWN_TAGS, PAGE_TAGS, Reader
from tests.reports.test_summary import items

ORDER = ["critical", "medium", "low", "info", "high, waived"]


def test_the_page_has_the_findings_the_worst_first() -> None:
    read = Reader(render_verdict_block(account_of(*ALL)))
    assert set(read.tags) <= OWN_TAGS
    assert [text for text in read.texts if text in ORDER] == ORDER
    told = "".join(read.texts)
    for one in ALL:
        for text in (one.title, one.remedy, one.rule, one.fingerprint, ", ".join(one.places)):
            assert text in told, text
    assert told.count("Request and answer") == sum(bool(one.curl) for one in ALL)
    assert f"$ {CURL}\n\n{EXCHANGE}" in told
    assert any("(waived until 2026-12-31 by Ada (issue 12))" in text for text in read.texts)
    assert "Findings" not in Reader(render_verdict_block(account_of())).texts


def test_a_finding_is_no_way_in_for_a_script() -> None:
    names = ("rule", "title", "detail", "source", "remedy", "exchange", "curl")
    one = found("a", FindingSeverity.HIGH, HOSTILE, **dict.fromkeys(names[1:], HOSTILE))
    read = Reader(render_page(account_of(one), None))
    assert set(read.tags) <= PAGE_TAGS
    assert read.tags.count("script") == 1
    assert read.comments == []


def test_the_summary_lists_them_as_plain_text() -> None:
    text = render_summary(account_of(*ALL))
    listed = [one for one in items(text) if ALL[0].title in one]
    told = [one.partition(":")[0] for one in listed if "Ask who it is." in one]
    assert told == ORDER
    assert listed[-1] == (
        "high, waived: A stranger is let in: GET /policies/{id} was answered 200 (waived until "
        "2026-12-31 by Ada (issue 12)) At api GET /policies/{id}. Ask who it is. "
        f"(waived, {ALL[1].fingerprint})"
    )
    assert MarkdownIt("gfm-like", {"linkify": False}).render(text).count("<h2>Findings</h2>") == 1
    assert "## Findings" not in render_summary(account_of())


def test_the_terminal_shows_the_worst_five_with_what_to_do() -> None:
    many = [
        found(f"rule-{number}", FindingSeverity.HIGH, *"abcde", check=CHECK) for number in range(7)
    ]
    lines = list(verdict_lines(account_of(*many), report="r", width=400))
    shown = [line for line in lines if "Ask who it is." in line]
    assert len(shown) == 5
    assert shown[0] == (
        "found   high: A stranger is let in, at a, b, c, 2 more. Ask who it is. "
        f"[rule-0 {many[0].fingerprint}]"
    )
    assert "        and 2 more findings in the report" in lines


def test_verdict_json_counts_them_by_severity_and_tells_what_became_of_each() -> None:
    told = account_of(*ALL)
    text = render_verdict(told, evidence_text="")
    findings = json.loads(text)["findings"]
    assert {name: findings[name] for name in ("critical", "high", "medium", "low", "info")} == {
        "critical": 1,
        "high": 0,
        "medium": 1,
        "low": 1,
        "info": 1,
    }
    assert findings["waived"] == 1
    assert findings["found"][-1] == {
        "fingerprint": ALL[1].fingerprint,
        "rule": "waived",
        "severity": "high",
        "standing": "waived",
        "check": CHECK,
        "waived": [
            {
                "owner": "Ada",
                "reason": "issue 12",
                "expires": "2026-12-31",
                "places": ["api GET /policies/{id}"],
            }
        ],
        "open": [],
        "expired": None,
    }
    again = read_verdict(text).account_of(told.evidence)
    assert render_verdict(again, evidence_text="") == text
    assert [one.standing for one in again.findings] == [one.standing for one in told.findings]


def test_a_finding_that_verdict_json_does_not_tell_of_holds() -> None:
    told = read_verdict(render_verdict(account_of(*ALL[:1]), evidence_text=""))
    again = told.account_of(account_of(*ALL).evidence)
    assert [one.standing for one in again.findings] == [Standing.HOLDS] * 5


@pytest.mark.parametrize("standing", ["nowhere", 3])
def test_another_standing_is_refused(standing: object) -> None:
    data = json.loads(render_verdict(account_of(*ALL), evidence_text=""))
    data["findings"]["found"][0]["standing"] = standing
    with pytest.raises(VerdictFileError, match=r"^findings\.found\.0\.standing: "):
        read_verdict(json.dumps(data))
