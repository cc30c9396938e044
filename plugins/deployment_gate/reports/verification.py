"""Whether report files can be trusted: whole, of one run, unedited, fresh, and as asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from deployment_gate.environment import Tier, format_duration
from deployment_gate.errors import GateError
from deployment_gate.evidence import EvidenceError, merge_shards
from deployment_gate.judgement import Decision
from deployment_gate.reports.account import EXIT_CODES
from deployment_gate.reports.agreement import (
    AGAIN,
    PolicyFound,
    faults_of_evidence,
    faults_of_judging,
    faults_of_junit,
    faults_of_pages,
    faults_of_sarif,
    faults_of_verdict,
    faults_within_junit,
)
from deployment_gate.reports.files import REPORTS
from deployment_gate.reports.junit import JUnitError, read_junit
from deployment_gate.reports.verdict_file import VerdictFileError, read_verdict

CLOCKS_DIFFER = timedelta(minutes=1)
"""By so much the clocks of two machines may differ before a moment is in the future."""


class RefusalError(GateError):
    """The release must not be promoted on these files.

    Attributes:
        exit_code: 10 where intact files ask for a rollback, else 1.
    """

    def __init__(self, message: str, *, exit_code: int = EXIT_CODES[Decision.HOLD]) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a pipeline asks of the files.

    Attributes:
        release: The release that it is about to promote.
        tier: What must have been validated; the full tier includes the smoke tier.
        max_age: How long ago the run may have ended.
        environment: Where it must have been validated, where that was said.
        is_to_be_judged: Whether a policy to judge by again must be found.
    """

    release: str
    tier: Tier
    max_age: timedelta
    environment: str | None = None
    is_to_be_judged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What the files say that they are."""

    environment: str
    release: str | None
    scope: str
    ended: datetime


def verify_reports(
    path: Path, demand: Demand, *, now: datetime, find_policy: Callable[[str], PolicyFound]
) -> str:
    """Hold a run's six files against each other, the policy and what is asked for.

    Args:
        path: Their folder; or a `junit.xml`, or a folder with nothing else, of which less is told.
        demand: What is asked for.
        now: The moment to measure their age by, aware.
        find_policy: Answers the policy of the environment of that name.

    Returns:
        What was verified, in one line.

    Raises:
        RefusalError: They are no reason to promote; its message says why and what to do next.
    """
    try:
        is_file, is_there = path.is_file(), path.exists()
        there = [name for name in REPORTS if (path / name).exists()]
    except OSError as error:
        raise _unreadable(path, error) from None
    if is_file:
        return _verify_junit(path, demand, now=now)
    if there == ["junit.xml"]:
        return _verify_junit(path / "junit.xml", demand, now=now)
    if not there:
        state = "holds no reports" if is_there else "no such folder"
        raise RefusalError(f"{path}: {state}. Name the folder that a run wrote to: reports/NAME")
    missing = [name for name in REPORTS if name not in there]
    if missing:
        raise RefusalError(f"{path}: {' and '.join(missing)} is missing. {AGAIN}")
    return _verify_all(path, demand, now=now, find_policy=find_policy)


def _verify_all(
    path: Path, demand: Demand, *, now: datetime, find_policy: Callable[[str], PolicyFound]
) -> str:
    texts = {name: _read(path / name) for name in REPORTS if name != "evidence.jsonl"}
    try:
        told = read_verdict(texts["verdict.json"])
    except VerdictFileError as error:
        raise RefusalError(
            f"{path / 'verdict.json'}: no verdict of the gate ({error}). {AGAIN}"
        ) from None
    if told.verdict is Decision.HOLD:
        raise RefusalError(f"{path}: hold: {told.sentence} {told.next}")
    try:
        merged = merge_shards([path / "evidence.jsonl"])
    except EvidenceError as error:
        raise RefusalError(str(error)) from None
    account = told.account_of(merged.evidence)
    found = find_policy(account.run.environment)
    claim = _Claim(
        environment=account.run.environment,
        release=account.run.release,
        scope=account.scope,
        ended=account.ended,
    )
    _refuse_first(
        chain(
            faults_of_evidence(path, told, merged),
            faults_of_verdict(path, texts["verdict.json"], told, account),
            faults_of_junit(path / "junit.xml", texts["junit.xml"], account),
            faults_of_pages(path, texts, account),
            faults_of_judging(path / "evidence.jsonl", account, found),
            faults_of_sarif(path / "findings.sarif", texts["findings.sarif"], account),
            _unmet(path, claim, demand, now),
            _unjudged(path, demand, found),
        )
    )
    if told.verdict is Decision.ROLLBACK:
        exit_code = EXIT_CODES[Decision.ROLLBACK]
        raise RefusalError(f"{path}: rollback: {told.sentence} {told.next}", exit_code=exit_code)
    return (
        f"promote: {account.subject}, run {account.run.id}, ended {_span(now - claim.ended)} ago: "
        f"the six files are whole and agree, {found.told}"
    )


def _verify_junit(path: Path, demand: Demand, *, now: datetime) -> str:
    """What a JUnit file alone can tell."""
    try:
        file = read_junit(_read(path))
    except JUnitError as error:
        raise RefusalError(f"{path}: {error}. {AGAIN}") from None
    own = file.own.get("verdict")
    names = ("environment", "release", "run", "scope", "verdict")
    missing = [name for name in names if name not in file.properties]
    if missing or own is None:
        lacks = f"its suite has no property {missing[0]!r}" if missing else "no case says a verdict"
        raise RefusalError(
            f"{path}: not written by the gate: {lacks}. Name the junit.xml of its run"
        )
    verdict = file.properties["verdict"]
    if verdict == Decision.HOLD:
        raise RefusalError(f"{path}: hold: {own.sentence} Look at the reasons, then validate again")
    if file.ended is None:
        raise RefusalError(f"{path}: doesn't say when its run was. {AGAIN}")
    claim = _Claim(
        environment=file.properties["environment"],
        release=file.properties["release"] or None,
        scope=file.properties["scope"],
        ended=file.ended,
    )
    _refuse_first(chain(faults_within_junit(path, file, verdict), _unmet(path, claim, demand, now)))
    if verdict == Decision.ROLLBACK:
        exit_code = EXIT_CODES[Decision.ROLLBACK]
        message = f"{path}: rollback: {own.sentence} Roll back, then validate again"
        raise RefusalError(message, exit_code=exit_code)
    return (
        f"promote: {claim.environment}, release {claim.release}, {claim.scope}, run "
        f"{file.properties['run']}, ended {_span(now - claim.ended)} ago: junit.xml is whole and "
        "green; without the other files, its evidence and the verdict on it could not be checked"
    )


def _refuse_first(faults: Iterator[str]) -> None:
    fault = next(faults, None)
    if fault:
        raise RefusalError(fault)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError:
        raise RefusalError(f"{path}: isn't UTF-8, as the gate writes it. {AGAIN}") from None


def _unreadable(path: Path, error: OSError) -> RefusalError:
    return RefusalError(f"{path}: can't be read ({error.strerror}). Name what a run left behind")


def _unmet(path: Path, claim: _Claim, demand: Demand, now: datetime) -> Iterator[str]:
    """What is asked for and isn't so."""
    if demand.environment not in {None, claim.environment}:
        yield (
            f"{path}: validated {claim.environment}, not {demand.environment}. "
            f"Name the reports of {demand.environment}, or validate it"
        )
    if claim.release != demand.release:
        validated = f"release {claim.release}" if claim.release else "no named release"
        yield (
            f"{path}: validated {validated}, not {demand.release}. "
            f"Validate with --release {demand.release}"
        )
    if claim.scope not in {Tier.FULL, demand.tier}:
        marker = " -m smoke" if demand.tier is Tier.SMOKE else ""
        yield (
            f"{path}: validated {claim.scope}, which is less than the {demand.tier} tier. "
            f"Validate all of it: pytest --env={claim.environment}{marker}"
        )
    age = now - claim.ended
    if age > demand.max_age:
        allowed = format_duration(demand.max_age)
        yield f"{path}: its run ended {_span(age)} ago, more than {allowed}. Validate again"
    if age < -CLOCKS_DIFFER:
        yield (
            f"{path}: its run ends {_span(-age)} in the future. "
            "Set the clocks of this machine and of the one that validated, then validate again"
        )


def _unjudged(path: Path, demand: Demand, found: PolicyFound) -> Iterator[str]:
    if demand.is_to_be_judged and found.policy is None:
        yield f"{path}: {found.told}. Mend that, or leave out --env and --env-dir"


def _span(duration: timedelta) -> str:
    """In whole seconds, one at least."""
    return format_duration(timedelta(seconds=max(1, round(duration.total_seconds()))))
