"""The evidence on disk: what is written is what is read, from however many files."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    GivenVerdict,
    Journal,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Redactor,
    Run,
    RunEnd,
    Severity,
    merge_journals,
    read_journal,
    write_evidence,
)
from deployment_gate.evidence.journal import EvidenceError
from deployment_gate.evidence.lines import Record, decode, encode

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

MOMENTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
SECONDS = st.floats(0, 1e6)
MAYBE = st.none() | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RUNS = st.builds(
    Run,
    id=st.text(),
    environment=st.text(),
    started=MOMENTS,
    release=MAYBE,
    tier=MAYBE,
    selection=MAYBE,
    tool=st.text(),
)
CHECKS = st.builds(
    PlannedCheck,
    id=st.text(),
    category=st.text(),
    severity=st.sampled_from(Severity),
    subject=MAYBE,
    left_out=MAYBE,
)
OBSERVATIONS = st.builds(
    Observation,
    at=MOMENTS,
    kind=st.sampled_from(ObservationKind),
    subject=st.text(),
    duration_s=SECONDS,
    status=st.none() | st.integers(100, 599),
    error=MAYBE,
    unobserved=MAYBE,
    facts=st.dictionaries(st.text(), JSON, max_size=3),
    check=MAYBE,
)
OUTCOMES = st.builds(
    CheckOutcome,
    id=st.text(),
    outcome=st.sampled_from(Outcome),
    at=MOMENTS,
    duration_s=SECONDS,
    message=st.text(),
)
ENDS = st.builds(
    RunEnd,
    at=MOMENTS,
    exit_status=st.integers(-15, 255),
    trouble=st.lists(st.text(), max_size=2).map(tuple),
)

GIVEN = GivenVerdict(verdict="hold", sentence="The run was interrupted.")
RUN = Run(id="1", environment="staging", started=START)
END = RunEnd(at=START + timedelta(minutes=1), exit_status=0)


def seen(second: float, subject: str = "api", **fields: Any) -> Observation:
    """What was seen so many seconds after the start."""
    at = START + timedelta(seconds=second)
    known = {"kind": ObservationKind.HEALTH, "duration_s": 0.1, "status": 200, **fields}
    return Observation(at=at, subject=subject, **known)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write records as one process does; answer where they are."""

    def write(name: str, *records: Record, secrets: Sequence[str] = ()) -> Path:
        journal = Journal(tmp_path / f"{name}.jsonl", redactor=Redactor(secrets))
        journal.append(*records)
        journal.close()
        return journal.path

    return write


@given(RUNS | CHECKS | OBSERVATIONS | OUTCOMES | ENDS)
def test_every_record_that_is_written_is_read_back(record: Record) -> None:
    line = encode(record)
    assert "\n" not in line
    assert decode(line) == record


@given(
    st.builds(
        Evidence,
        run=RUNS,
        plan=st.lists(CHECKS, max_size=3, unique_by=lambda check: check.id).map(tuple),
        observations=st.lists(OBSERVATIONS, max_size=3).map(
            lambda some: tuple(sorted(some, key=lambda one: one.at))
        ),
        outcomes=st.lists(OUTCOMES, max_size=3).map(
            lambda some: tuple(sorted(some, key=lambda one: one.at))
        ),
        end=st.none() | ENDS,
    )
)
def test_evidence_that_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, evidence: Evidence
) -> None:
    path = tmp_path_factory.getbasetemp() / "evidence.jsonl"
    path.write_text(write_evidence(evidence, GIVEN), encoding="utf-8")
    assert merge_journals([path]) == evidence


def test_evidence_is_written_run_first_verdict_last_and_by_time_between() -> None:
    outcome = CheckOutcome(
        id="t", outcome=Outcome.PASSED, at=START + timedelta(seconds=2), duration_s=1
    )
    evidence = Evidence(
        run=RUN,
        plan=(PlannedCheck(id="t", category="api"),),
        observations=(seen(1), seen(3)),
        outcomes=(outcome,),
        end=END,
    )
    lines = [json.loads(line) for line in write_evidence(evidence, GIVEN).splitlines()]
    assert [line["type"] for line in lines] == [
        *("run", "check", "observation", "outcome", "observation", "end", "verdict")
    ]
    assert lines[0]["format"] == 1


def test_times_are_written_in_utc() -> None:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=6)))
    assert json.loads(encode(RunEnd(at=at, exit_status=0)))["at"] == "2026-11-23T03:00:00+00:00"


def test_a_record_is_on_disk_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal" / "gw0.jsonl", redactor=Redactor())
    journal.append(seen(1))
    assert list(read_journal(journal.path)) == [seen(1)]
    journal.append(seen(2), seen(3))
    assert list(read_journal(journal.path)) == [seen(1), seen(2), seen(3)]
    journal.close()


@given(cut=st.integers(1, 200))
def test_a_last_line_that_was_being_written_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    whole = f"{encode(RUN)}\n{encode(seen(1))}\n".encode()
    torn = f"{encode(seen(2, subject='größe ☃'))}\n".encode()[:-cut]
    path = tmp_path_factory.getbasetemp() / "torn.jsonl"
    path.write_bytes(whole + torn)
    assert list(read_journal(path)) == [RUN, seen(1)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"not json",
        b"",
        b"42",
        b"null",
        b'"observation"',
        b"[]",
        b"{}",
        b'{"type": "rumour"}',
        b'{"type": ["run"]}',
        b'{"type": "end", "at": "2026-11-23T03:00:00+00:00"}',
        b'{"type": "end", "at": "2026-11-23T03:00:00+00:00", "exit_status": 0, "more": 1}',
        b'{"type": "end", "at": "soon", "exit_status": 0}',
        b'{"type": "end", "at": "2026-11-23T03:00:00", "exit_status": 0}',
        b'{"type": "end", "at": 1, "exit_status": 0}',
        b'{"type": "run", "id": "1", "environment": "x", "started": "2026-11-23T03:00:00+00:00"}',
        b'{"type": "check", "id": "t", "category": "api", "severity": "great"}',
        b"\xff\xfe\x00",
    ],
)
def test_a_line_that_is_no_record_is_an_error_that_names_file_and_line(
    tmp_path: Path, garbage: bytes
) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(f"{encode(RUN)}\n{encode(seen(1))}\n".encode() + garbage + b"\n")
    with pytest.raises(EvidenceError) as caught:
        merge_journals([path])
    assert str(caught.value).startswith(f"{path}:3: not a record of evidence")
    assert str(caught.value).endswith("Take the evidence.jsonl of a run as it was written.")


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_text(encode(RUN).replace('"format": 1', '"format": 2') + "\n")
    with pytest.raises(EvidenceError, match="not of format 1"):
        merge_journals([path])


def test_a_file_that_is_not_there_is_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"nowhere.jsonl: .* Name an evidence.jsonl"):
        merge_journals([tmp_path / "nowhere.jsonl"])


def test_the_files_of_one_run_are_merged_by_time_in_any_order(
    write: Callable[..., Path],
) -> None:
    check = PlannedCheck(id="t", category="api")
    paths = [
        write("controller", RUN, check, seen(1), seen(4), END),
        write("gw0", check, seen(0), seen(5)),
        write("gw1", check, seen(3), seen(2)),
    ]
    merged = [merge_journals(order) for order in permutations(paths)]
    assert merged[0].observations == tuple(seen(second) for second in range(6))
    assert (merged[0].run, merged[0].plan, merged[0].end) == (RUN, (check,), END)
    assert all(evidence == merged[0] for evidence in merged)


def test_outcomes_are_merged_by_time(write: Callable[..., Path]) -> None:
    first, second = (
        CheckOutcome(
            id=name, outcome=Outcome.PASSED, at=START + timedelta(seconds=at), duration_s=1
        )
        for at, name in enumerate(("first", "second"))
    )
    assert merge_journals([write("a", RUN, second), write("b", first)]).outcomes == (first, second)


def test_evidence_of_two_runs_is_refused(write: Callable[..., Path]) -> None:
    paths = [write("a", RUN), write("b", Run(id="2", environment="staging", started=START))]
    with pytest.raises(EvidenceError, match=r"evidence of 2 runs\. Name the files of one run"):
        merge_journals(paths)


def test_evidence_without_a_run_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(EvidenceError, match=r"gw0.jsonl: holds no run"):
        merge_journals([write("gw0", seen(1))])
    with pytest.raises(EvidenceError, match="no file at all: holds no run"):
        merge_journals([])


def test_a_run_that_never_ended_has_no_end(write: Callable[..., Path]) -> None:
    assert merge_journals([write("controller", RUN, seen(1))]).end is None


def test_checks_that_are_left_out_are_not_to_run() -> None:
    runs = PlannedCheck(id="a", category="api")
    out = PlannedCheck(id="b", category="api", left_out="only in staging")
    assert Evidence(run=RUN, plan=(runs, out)).to_run == (runs,)


def test_a_secret_is_replaced_wherever_it_stands_in_a_record(write: Callable[..., Path]) -> None:
    secret = "correct horse"
    path = write(
        "controller",
        RUN,
        seen(1, error=f"said {secret}", facts={"a": [{"b": f"x{secret}x"}], secret: 1}),
        CheckOutcome(
            id="t", outcome=Outcome.FAILED, at=START, duration_s=1, message=f"{secret}\n{secret}"
        ),
        RunEnd(at=START, exit_status=1, trouble=(f"trouble with {secret}",)),
        secrets=[secret],
    )
    assert "correct" not in path.read_text()
    evidence = merge_journals([path])
    assert evidence.observations[0].error == "said [redacted]"
    assert evidence.observations[0].facts == {"a": [{"b": "x[redacted]x"}], "[redacted]": 1}
    assert evidence.outcomes[0].message == "[redacted]\n[redacted]"


@pytest.mark.parametrize("secret", ["observation", "duration_s", "2026-11-23", "nightfall", "0.25"])
def test_a_secret_that_looks_like_the_format_leaves_the_journal_readable(
    write: Callable[..., Path], secret: str
) -> None:
    text = f"it says {secret}, and then\nightfall came"
    path = write("controller", RUN, seen(1, error=text, duration_s=0.25), secrets=[secret])
    evidence = merge_journals([path])
    assert evidence.observations == (
        seen(1, error="it says [redacted], and then\nightfall came", duration_s=0.25),
    )


@pytest.mark.parametrize("short", ["hunter2", "Bearer abcdef0123456789", "AKIAABCDEFGHIJKLMNOP"])
def test_a_secret_at_the_beginning_of_a_line_is_replaced(
    write: Callable[..., Path], short: str
) -> None:
    path = write("controller", RUN, seen(1, error=f"two lines:\n{short}"), secrets=["hunter2"])
    assert merge_journals([path]).observations[0].error in {
        "two lines:\n[redacted]",
        "two lines:\nBearer [redacted]",
    }


def test_what_no_file_can_hold_is_replaced_rather_than_ending_the_run(
    write: Callable[..., Path],
) -> None:
    # aiohttp hands on header bytes that are no UTF-8, and JSON escapes, as lone surrogates.
    facts = {"content_type": "text/\udcff", "states": {"\ud800": "down"}}
    path = write("controller", RUN, seen(1, error="broken \ud800", facts=facts))
    observation = merge_journals([path]).observations[0]
    assert observation.error == "broken ?"
    assert observation.facts == {"content_type": "text/?", "states": {"?": "down"}}


def test_nothing_within_a_record_ends_its_line(tmp_path: Path) -> None:
    subject = "GET /a\x85b\u2028c\u2029d\x0be"
    journal = Journal(tmp_path / "one.jsonl", redactor=Redactor())
    journal.append(
        Observation(
            at=datetime(2026, 11, 23, 3, tzinfo=UTC),
            kind=ObservationKind.REQUEST,
            subject=subject,
            duration_s=0.1,
        )
    )
    journal.close()

    assert len((tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    (seen,) = read_journal(tmp_path / "one.jsonl")
    assert isinstance(seen, Observation)
    assert seen.subject == subject
