"""Whether a run's report files agree: with each other, with the evidence, and judged again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deployment_gate.environment import Policy, Tier
from deployment_gate.evidence import Evidence, MergedShards, Outcome
from deployment_gate.judgement import Decision, judge
from deployment_gate.reports.account import Account
from deployment_gate.reports.junit import JUnitError, JUnitFile, finish_junit, read_junit
from deployment_gate.reports.page.verdict import render_verdict_block, title_of
from deployment_gate.reports.sarif import SarifError, fingerprints_in, render_sarif
from deployment_gate.reports.summary import render_summary
from deployment_gate.reports.verdict_file import VerdictFile, render_verdict_on

AGAIN = "Validate again, and verify the files as that run leaves them"
_SHOWN_AS = {
    Outcome.PASSED: "passed",
    Outcome.XPASSED: "passed",
    Outcome.FLAKY: "passed",
    Outcome.WARNED: "skipped",
    Outcome.WAIVED: "skipped",
    Outcome.NOT_RUN: "skipped",
    Outcome.SKIPPED: "skipped",
    Outcome.XFAILED: "skipped",
    Outcome.FAILED: "failure",
    Outcome.ERROR: "error",
}
_BARE_POLICY = Policy(
    triggers=(), health_endpoints={}, identities={}, required=dict.fromkeys(Tier, ())
)


@dataclass(frozen=True, slots=True)
class PolicyFound:
    """The policy to judge by again, or None; `told` says by which, or why not."""

    policy: Policy | None
    told: str


def faults_of_evidence(path: Path, told: VerdictFile, merged: MergedShards) -> Iterator[str]:
    """What in the evidence isn't what `verdict.json` was given on."""
    file = path / "evidence.jsonl"
    evidence = merged.evidence
    if evidence.run.id != told.run:
        yield f"{file}: is of run {evidence.run.id}, verdict.json of run {told.run}. {AGAIN}"
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != told.evidence_sha256:
        yield f"{file}: was changed after verdict.json was given on it (other digest). {AGAIN}"
    for remark in merged.remarks:
        yield f"{remark}. {AGAIN}"
    given = merged.given.get(evidence.run.id)
    if given is None or given.verdict != told.verdict:
        said = given.verdict if given else "no verdict"
        yield f"{file}: says {said}, verdict.json {told.verdict}. {AGAIN}"
    elif given.sentence != told.sentence:
        yield f"{file}: gives another reason than verdict.json. {AGAIN}"


def faults_of_verdict(path: Path, text: str, told: VerdictFile, account: Account) -> Iterator[str]:
    """What `verdict.json` says that the evidence doesn't."""
    file = path / "verdict.json"
    run = account.run
    for name in ("environment", "release", "tier", "selection"):
        here, there = getattr(told, name), getattr(run, name)
        if here != there:
            yield f"{file}: {name} is {here}, in evidence.jsonl {there}. {AGAIN}"
    counted = Counter(one.outcome for one in account.evidence.outcomes)
    if +Counter(account.verdict.counts) != counted:
        yield f"{file}: counts {account.counts}; evidence.jsonl other outcomes. {AGAIN}"
    if told.verdict is Decision.PROMOTE and told.reasons:
        yield f"{file}: says promote, and gives reasons against it. {AGAIN}"
    if text != render_verdict_on(account, evidence_sha256=told.evidence_sha256):
        yield f"{file}: {_not_as_written(account)}"


def faults_of_junit(path: Path, text: str, account: Account) -> Iterator[str]:
    """What `junit.xml` shows that isn't what the evidence and `verdict.json` say."""
    try:
        file = read_junit(text)
    except JUnitError as error:
        yield f"{path}: {error}. {AGAIN}"
        return
    expected = read_junit(finish_junit(None, account))
    for name in ("run", *expected.properties):
        here, there = file.properties.get(name), expected.properties[name]
        if here != there:
            yield f"{path}: {name} is {here}, in verdict.json {there}. {AGAIN}"
    yield from faults_within_junit(path, file, account.verdict.decision)
    shown = Counter(file.checks)
    ended = Counter(_SHOWN_AS[one.outcome] for one in account.evidence.outcomes)
    if shown != ended:
        yield f"{path}: its checks are {_tally(shown)}, in evidence.jsonl {_tally(ended)}. {AGAIN}"
    if file.own != expected.own:
        yield f"{path}: {_not_as_written(account)}"


def faults_within_junit(path: Path, file: JUnitFile, verdict: str) -> Iterator[str]:
    """What contradicts itself in a JUnit file."""
    for name, count in file.counted.items():
        if file.stated[name] != str(count):
            yield f"{path}: states {name}={file.stated[name]}, but holds {count}. {AGAIN}"
    if not file.checks:
        yield f"{path}: shows no check at all. {AGAIN}"
    is_red = bool(file.counted["failures"] or file.counted["errors"])
    if is_red == (verdict == Decision.PROMOTE):
        colour = "red" if is_red else "green"
        yield f"{path}: is {colour}, but its verdict is {verdict}. {AGAIN}"


def faults_of_pages(path: Path, texts: Mapping[str, str], account: Account) -> Iterator[str]:
    """What the two files for people say that isn't what `verdict.json` says."""
    for name in ("report.html", "summary.md"):
        if account.run.id not in texts[name]:
            yield f"{path / name}: isn't of run {account.run.id}, as verdict.json is. {AGAIN}"
    page = texts["report.html"]
    title = f">{title_of(account)}</title>"
    if page.count(render_verdict_block(account)) != 1 or title not in page:
        yield f"{path / 'report.html'}: {_not_as_written(account)}"
    if texts["summary.md"] != render_summary(account):
        yield f"{path / 'summary.md'}: {_not_as_written(account)}"


def faults_of_sarif(path: Path, text: str, account: Account) -> Iterator[str]:
    """What `findings.sarif` says that isn't what the evidence and `verdict.json` say."""
    if account.run.id not in text:
        yield f"{path}: isn't of run {account.run.id}, as verdict.json is. {AGAIN}"
    try:
        told = fingerprints_in(text)
    except SarifError as error:
        yield f"{path}: {error}. {AGAIN}"
        return
    found = Counter(one.fingerprint for one in account.evidence.findings)
    if told != found:
        other = sorted((told - found) + (found - told))
        yield (
            f"{path}: holds {told.total()} findings, evidence.jsonl {found.total()}; they differ "
            f"in {', '.join(other)}. {AGAIN}"
        )
    if text != render_sarif(account):
        yield f"{path}: {_not_as_written(account)}"


def _not_as_written(account: Account) -> str:
    return (
        "not what the gate writes of this run's evidence and verdict: one of them was edited, or "
        f"another version wrote it ({account.run.tool}). {AGAIN}"
    )


def faults_of_judging(path: Path, account: Account, found: PolicyFound) -> Iterator[str]:
    """Whether the same is decided again; without a policy, by the checks and the end alone."""
    decided = account.verdict.decision
    evidence = account.evidence
    if found.policy is not None:
        again = judge(found.policy, evidence)
    elif decided is Decision.PROMOTE:
        again = judge(_BARE_POLICY, _as_accepted(evidence))
    else:
        return
    if again.decision is not decided:
        reason = f": {again.reasons[0].text.rstrip('.')}" if again.reasons else ""
        yield f"{path}: {found.told}, {decided} becomes {again.decision}{reason}. {AGAIN}"


def _as_accepted(evidence: Evidence) -> Evidence:
    """The evidence without what only its own policy says: where releases are named, and waivers."""
    return replace(
        evidence,
        run=replace(evidence.run, release=None),
        outcomes=tuple(
            replace(one, outcome=Outcome.WARNED) if one.outcome is Outcome.WAIVED else one
            for one in evidence.outcomes
        ),
    )


def _tally(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
