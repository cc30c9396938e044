"""Findings as evidence: told apart by rule and places, written, read and merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import (
    Evidence,
    Finding,
    FindingSeverity,
    GivenVerdict,
    Journal,
    Redactor,
    Run,
    merge_journals,
    merge_shards,
    read_journal,
    write_evidence,
)
from deployment_gate.evidence.finding import last_findings
from deployment_gate.evidence.lines import decode, encode

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
RUN = Run(id="1", environment="here", started=START)
FOUND = Finding(
    rule="stranger-let-in",
    severity=FindingSeverity.CRITICAL,
    title="A stranger is let in",
    detail="200 without a token",
    places=("api GET /b", "api GET /a"),
    source="OWASP ASVS 5.0, 8.3.1",
    remedy="Ask who it is.",
    at=START,
    check="t::a",
    exchange="> GET /a\n< 200",
    curl="curl http://a/",
)
GIVEN = GivenVerdict(verdict="hold", sentence="x")
ORDER = ["critical", "high", "medium", "low", "info"]


@pytest.mark.parametrize("one", ORDER)
@pytest.mark.parametrize("other", ORDER)
def test_severities_are_ordered_from_critical_to_info(one: str, other: str) -> None:
    is_at_least = ORDER.index(one) <= ORDER.index(other)
    assert FindingSeverity(one).is_at_least(FindingSeverity(other)) == is_at_least


def test_a_fingerprint_is_made_of_the_rule_and_the_places_in_any_order_alone() -> None:
    # As sha256sum has it.
    assert FOUND.fingerprint == "5f38c3d539f4f8a8"
    alike = replace(
        FOUND,
        places=FOUND.places[::-1],
        severity=FindingSeverity.LOW,
        detail="other",
        at=START + timedelta(days=1),
        check="t::b",
        attempt=2,
        exchange="",
    )
    assert alike.fingerprint == FOUND.fingerprint
    assert replace(FOUND, rule="other").fingerprint != FOUND.fingerprint
    assert replace(FOUND, places=("api GET /a",)).fingerprint != FOUND.fingerprint


def test_its_sentence_is_one_line_however_long_the_detail_is() -> None:
    assert FOUND.sentence == (
        "critical: A stranger is let in: 200 without a token [stranger-let-in]"
    )
    long = replace(FOUND, detail="a\r\n b\u2028c " * 1000).sentence
    assert len(long.splitlines()) == 1
    assert len(long) < 900
    assert long.endswith("[stranger-let-in]")


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    texts=st.lists(TEXT, min_size=8, max_size=8),
    places=st.lists(TEXT, max_size=3),
    severity=st.sampled_from(FindingSeverity),
    attempt=st.integers(1, 9),
)
def test_what_is_written_is_read_back(
    texts: list[str], places: list[str], severity: FindingSeverity, attempt: int
) -> None:
    names = ("rule", "title", "detail", "source", "remedy", "check", "exchange", "curl")
    one = replace(
        FOUND,
        severity=severity,
        places=tuple(places),
        attempt=attempt,
        **dict(zip(names, texts, strict=True)),
    )
    assert decode(encode(one)) == one


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("severity", '"bad"'),
        ("places", '"api"'),
        ("attempt", "1.5"),
        ("at", '"2026-11-23T03:00:00"'),
        ("rule", "3"),
    ],
)
def test_a_line_that_is_no_finding_is_refused(name: str, value: str) -> None:
    line = encode(replace(FOUND, attempt=2))
    before, _, after = line.partition(f'"{name}": ')
    end = after.index("]") + 1 if name == "places" else min(map(after.index, ",}"))
    with pytest.raises((ValueError, TypeError)):
        decode(f'{before}"{name}": {value}{after[end:]}')


def test_a_journal_takes_secrets_out_of_every_text(tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    names = ("title", "detail", "source", "remedy", "exchange", "curl")
    told = replace(FOUND, places=(f"api {secret}",), **dict.fromkeys(names, f"it is {secret}"))
    journal = Journal(tmp_path / "j.jsonl", redactor=Redactor([secret]))
    journal.append(told)
    journal.close()
    assert secret not in (tmp_path / "j.jsonl").read_text()
    (read,) = read_journal(tmp_path / "j.jsonl")
    assert isinstance(read, Finding)
    assert read.places == ("api [redacted]",)
    assert {getattr(read, name) for name in names} == {"it is [redacted]"}


def test_of_several_attempts_at_a_check_the_last_one_that_found_something_counts() -> None:
    def at(attempt: int, second: int, **changes: str) -> Finding:
        moment = START + timedelta(seconds=second)
        return replace(FOUND, attempt=attempt, at=moment, **changes)

    first, second, third = at(1, 0), at(2, 1), at(2, 2, rule="other")
    elsewhere = at(1, 3, check="t::b")
    assert last_findings([third, elsewhere, second, first]) == (second, third, elsewhere)


def test_findings_are_merged_by_time_and_stay_so_when_they_are_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl", redactor=Redactor())
    journal.append(RUN, FOUND)
    journal.close()
    other = Journal(tmp_path / "b.jsonl", redactor=Redactor())
    earlier = replace(FOUND, check="t::b", at=START - timedelta(seconds=1))
    other.append(earlier)
    other.close()
    merged = merge_journals([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert merged.findings == (earlier, FOUND)
    (tmp_path / "evidence.jsonl").write_text(write_evidence(merged, GIVEN))
    assert merge_shards([tmp_path / "evidence.jsonl"]).evidence.findings == merged.findings


def test_what_two_machines_found_alike_counts_once(tmp_path: Path) -> None:
    paths = []
    for number in range(2):
        moment = START + timedelta(seconds=number)
        found = (replace(FOUND, at=moment), replace(FOUND, rule=f"only-{number}", at=moment))
        one = Evidence(run=replace(RUN, id=str(number)), findings=found)
        path = tmp_path / f"{number}.jsonl"
        path.write_text(write_evidence(one, GIVEN))
        paths.append(path)
    merged = merge_shards(paths).evidence.findings
    assert [one.rule for one in merged] == ["stranger-let-in", "only-0", "only-1"]


def test_no_half_of_a_secret_is_left_where_a_sentence_is_cut() -> None:
    secret = "correct-horse-battery-staple-0123456789"
    redact = Redactor([secret]).redact
    for length in range(740, 800):
        sentence = redact(replace(FOUND, title="x", detail="y" * length + secret).sentence)
        assert "correct-" not in sentence
