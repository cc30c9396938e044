"""Evidence of many machines: what each of them saw counts once, in the order of time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import (
    FROM_BEST_TO_WORST,
    CheckOutcome,
    Evidence,
    EvidenceError,
    GivenVerdict,
    MergedShards,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
    merge_journals,
    merge_shards,
    write_evidence,
)

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
GIVEN = GivenVerdict(verdict="promote", sentence="All is well.")


def seen(second: float, subject: str = "api") -> Observation:
    """What was seen so many seconds after the start."""
    at = START + timedelta(seconds=second)
    kind = ObservationKind.HEALTH
    return Observation(at=at, kind=kind, subject=subject, duration_s=0.1, status=200)


def ended(check: str, outcome: Outcome = Outcome.PASSED, second: float = 1) -> CheckOutcome:
    """How a check ended."""
    at = START + timedelta(seconds=second)
    return CheckOutcome(id=check, outcome=outcome, at=at, duration_s=1)


def shard(name: str = "a", *checks: str, **changes: Any) -> Evidence:
    """The evidence of a whole run, whose checks passed."""
    of_run = ("environment", "started", "release", "tier", "selection", "tool")
    run: dict[str, Any] = {"id": name, "environment": "here", "started": START, "tier": "smoke"}
    run |= {field: changes.pop(field) for field in of_run if field in changes}
    usual = Evidence(
        run=Run(**run),
        plan=tuple(PlannedCheck(id=check, category="api") for check in checks),
        outcomes=tuple(ended(check) for check in checks),
        end=RunEnd(at=START + timedelta(minutes=1), exit_status=0),
    )
    return replace(usual, **changes)


@pytest.fixture
def merge(tmp_path: Path) -> Callable[..., MergedShards]:
    """Write each shard to a file of its own, and merge them."""

    def merge(*shards: Evidence) -> MergedShards:
        return merge_shards([write(tmp_path, one) for one in shards])

    return merge


def write(folder: Path, evidence: Evidence) -> Path:
    """Write evidence as a run leaves it; answer where it is."""
    path = folder / f"{evidence.run.id}.jsonl"
    path.write_text(write_evidence(evidence, GIVEN), encoding="utf-8")
    return path


def trouble(merged: MergedShards) -> str:
    """What makes the merged run a hold."""
    assert merged.evidence.end is not None
    return "\n".join(merged.evidence.end.trouble)


SHARDS = st.lists(
    st.builds(
        lambda seconds, checks, tier, status, started: shard(
            "name",
            *checks,
            tier=tier,
            selection=None if tier else "-k x",
            started=START + timedelta(seconds=started),
            observations=tuple(seen(second) for second in sorted(seconds)),
            outcomes=tuple(ended(name, outcome) for name, outcome in checks.items()),
            end=None if status is None else RunEnd(at=START, exit_status=status),
        ),
        st.lists(st.integers(0, 9), max_size=4, unique=True),
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(Outcome), max_size=3),
        st.sampled_from(["smoke", "full", None]),
        st.sampled_from([None, 0, 1, 3]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
).map(
    lambda shards: [
        replace(one, run=replace(one.run, id=str(number))) for number, one in enumerate(shards)
    ]
)


@given(shards=SHARDS, seed=st.integers(0, 100))
def test_the_order_of_the_shards_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, shards: Sequence[Evidence], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    paths = [write(folder, one) for one in shards]
    shuffled = paths[:]
    random.Random(seed).shuffle(shuffled)  # noqa: S311  # an order, no secret
    merged = merge_shards(paths)
    assert merge_shards(shuffled) == merged
    assert merge_shards([*paths, *shuffled]) == merged
    whole = folder / "whole.jsonl"
    whole.write_bytes(b"".join(path.read_bytes() for path in shuffled))
    assert merge_shards([whole]).evidence.observations == merged.evidence.observations


@given(shards=SHARDS)
def test_one_shard_is_what_its_run_was(
    tmp_path_factory: pytest.TempPathFactory, shards: Sequence[Evidence]
) -> None:
    one = replace(shards[0], run=replace(shards[0].run, started=START))
    path = write(tmp_path_factory.mktemp("shard"), one)
    assert merge_shards([path]).evidence == merge_journals([path])
    assert merge_shards([path]).given == {one.run.id: GIVEN}


def test_observations_of_all_shards_are_in_the_order_of_time(
    merge: Callable[..., MergedShards],
) -> None:
    merged = merge(
        shard("a", observations=(seen(1), seen(4))), shard("b", observations=(seen(2), seen(3)))
    )
    assert merged.evidence.observations == tuple(seen(second) for second in (1, 2, 3, 4))
    assert merged.evidence.run.id == "a, b"
    assert not merged.remarks


def test_a_line_that_is_there_twice_counts_once_and_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, shard("a", "t", observations=(seen(1),)))
    once = merge_shards([path]).evidence
    path.write_text("".join(2 * line for line in path.read_text().splitlines(keepends=True)))
    twice = merge_shards([path])
    assert twice.evidence == once
    assert twice.remarks == (f"{path}: 6 of its lines were there before, and count once",)


def test_a_copy_of_a_file_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path, shard("a", "t", observations=(seen(1),)))
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(path.read_bytes())
    assert merge_shards([path, copy]).evidence == merge_shards([path]).evidence
    assert merge_shards([path, path]) == merge_shards([path])


def test_what_two_machines_saw_alike_counts_twice(merge: Callable[..., MergedShards]) -> None:
    merged = merge(shard("a", observations=(seen(1),)), shard("b", observations=(seen(1),)))
    assert merged.evidence.observations == (seen(1), seen(1))


def test_a_last_line_that_was_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, shard("a", "t"))
    path.write_bytes(path.read_bytes()[:-10])
    merged = merge_shards([path])
    assert merged.remarks == (f"{path}: its last line was cut off, and is left out",)
    assert merged.evidence == shard("a", "t")
    assert merged.given == {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"release": "1.4.2"}, {"release": "1.5.0"}),
        ({"release": "1.4.2"}, {"release": None}),
        ({"environment": "there"}, {}),
    ],
)
def test_shards_of_different_releases_or_environments_are_refused(
    merge: Callable[..., MergedShards], first: dict[str, object], second: dict[str, object]
) -> None:
    with pytest.raises(EvidenceError, match=r"a\.jsonl is of .* in .*b\.jsonl of .* in") as caught:
        merge(shard("a", **first), shard("b", **second))
    for named in (*first.values(), *second.values()):
        assert (named or "no named release") in str(caught.value)


def test_a_shard_that_never_ended_leaves_no_end_and_is_told(
    merge: Callable[..., MergedShards], tmp_path: Path
) -> None:
    merged = merge(shard("a"), shard("b", end=None))
    assert merged.evidence.end is None
    assert merged.remarks == (f"run b ({tmp_path / 'b.jsonl'}) never ended",)


def test_the_worst_end_is_that_of_all(merge: Callable[..., MergedShards]) -> None:
    first = RunEnd(at=START + timedelta(seconds=9), exit_status=3, trouble=("x",))
    last = RunEnd(at=START + timedelta(seconds=10), exit_status=1, trouble=("y",))
    merged = merge(shard("a", end=first), shard("b", end=last))
    assert merged.evidence.end == replace(last, exit_status=3, trouble=("x", "y"))


def test_a_run_that_ends_before_it_starts_is_trouble(merge: Callable[..., MergedShards]) -> None:
    end = RunEnd(at=START - timedelta(seconds=1), exit_status=0)
    assert "ends before it starts" in trouble(merge(shard("a", end=end)))


def test_shards_more_than_a_day_apart_are_trouble(merge: Callable[..., MergedShards]) -> None:
    day = timedelta(days=1)
    later = RunEnd(at=START + 2 * day, exit_status=0)
    assert not trouble(merge(shard("a"), shard("b", started=START + day, end=later)))
    second = timedelta(seconds=1)
    merged = merge(shard("a"), shard("b", started=START + day + second, end=later))
    assert "began more than a day apart" in trouble(merged)


@given(
    outcomes=st.lists(st.sampled_from(Outcome), min_size=2, max_size=4),
)
def test_of_a_check_that_several_machines_ran_the_worst_outcome_counts(
    tmp_path_factory: pytest.TempPathFactory, outcomes: Sequence[Outcome]
) -> None:
    folder = tmp_path_factory.mktemp("outcomes")
    paths = [
        write(folder, shard(str(number), "t", outcomes=(ended("t", outcome),)))
        for number, outcome in enumerate(outcomes)
    ]
    (only,) = merge_shards(paths).evidence.outcomes
    assert only.outcome is max(outcomes, key=FROM_BEST_TO_WORST.index)


def test_a_check_that_one_machine_lost_is_not_hidden_by_another(
    merge: Callable[..., MergedShards],
) -> None:
    merged = merge(shard("a", "t", "u"), shard("b", "t", "u", outcomes=(ended("t"),)))
    assert trouble(merged).startswith("1 of 2 checks of run b (")
    assert trouble(merged).endswith("did not report, the first of them u")


def test_what_one_machine_left_out_another_has_to_run(merge: Callable[..., MergedShards]) -> None:
    out = PlannedCheck(id="t", category="api", left_out="only there")
    merged = merge(shard("a", plan=(out,)), shard("b", "t"))
    assert [check.id for check in merged.evidence.to_run] == ["t"]


@pytest.mark.parametrize(
    ("tiers", "tier", "selection"),
    [
        (["smoke", "smoke"], "smoke", None),
        (["smoke", "full"], "full", None),
        (["full", None], "full", None),
        ([None, None], None, "-k 0; -k 1"),
    ],
)
def test_merged_they_are_the_widest_tier_or_a_selection_of_all(
    merge: Callable[..., MergedShards],
    tiers: list[str | None],
    tier: str | None,
    selection: str | None,
) -> None:
    merged = merge(
        *(
            shard(str(number), tier=one, selection=None if one else f"-k {number}")
            for number, one in enumerate(tiers)
        )
    )
    assert (merged.evidence.run.tier, merged.evidence.run.selection) == (tier, selection)


def test_no_evidence_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no evidence at all"):
        merge_shards([])
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(EvidenceError, match=r"empty\.jsonl: holds no run"):
        merge_shards([empty])


def test_records_before_their_run_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, shard("a", "t"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(reversed(lines)))
    with pytest.raises(EvidenceError, match=r"a\.jsonl: begins with no run"):
        merge_shards([path])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"exit_status": 0', '"exit_status": 1', "two different ends"),
        ('"verdict": "promote"', '"verdict": "hold"', "two different verdicts"),
        ('"environment": "here"', '"environment": "there"', "two different beginnings"),
    ],
)
def test_one_run_that_is_told_in_two_ways_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = write(tmp_path, shard("a", "t"))
    edited = tmp_path / "edited.jsonl"
    edited.write_text(path.read_text().replace(old, new))
    with pytest.raises(EvidenceError, match=said):
        merge_shards([path, edited])


def test_a_tier_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, shard("a", tier="everything"))
    with pytest.raises(EvidenceError, match="'everything' is no tier"):
        merge_shards([path])
