"""Judging evidence by an environment: at the end of a run, and again from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.environment import (
    Category,
    EnvironmentFileError,
    load_environment,
    policy_of,
)
from deployment_gate.errors import GateError
from deployment_gate.evidence import FARTHEST_APART, Evidence, Redactor, merge_shards
from deployment_gate.judgement import ENDED_NORMALLY, baseline_of, judge
from deployment_gate.reports.account import EXIT_CODES, Account
from deployment_gate.reports.agreement import PolicyFound
from deployment_gate.reports.limits import limits_of
from deployment_gate.reports.terminal import labelled, reason_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployment_gate.environment import Environment
    from deployment_gate.evidence import Baseline, MergedShards


_LONGEST_FIRST_LINE = 256


class JudgingError(GateError):
    """Evidence can't be judged as it was asked for."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What judging again came to.

    Attributes:
        text: For the person at the terminal, free of secrets.
        exit_code: 0 for promote, 1 for hold, 10 for rollback.
    """

    text: str
    exit_code: int


def give_account(
    environment: Environment, evidence: Evidence, *, redact: Callable[[str], str]
) -> Account:
    """Judge `evidence` by the environment's policy; all that reports say of it."""
    policy = policy_of(environment)
    return Account(
        run=evidence.run,
        verdict=judge(policy, evidence),
        evidence=evidence,
        not_covered=(*environment.not_covered(), *_unvisited(environment, evidence)),
        health_endpoints={
            name: redact(one.url) for name, one in environment.health_endpoints.items()
        },
        policy=policy,
        limits=limits_of(environment),
    )


def judge_again(
    files: Sequence[Path], environment: Environment, *, name: str, width: int
) -> Opinion:
    """Judge what files hold, as the evidence of one run.

    Args:
        files: The evidence of one run, or of several shards.
        environment: Whose policy it is judged by.
        name: The environment that the evidence must be of.
        width: Characters in a line of the terminal.

    Raises:
        EvidenceError: The files can't be read, or are of different releases or environments.
        JudgingError: They are of another environment.
    """
    merged = merge_shards(files)
    validated = merged.evidence.run.environment
    if validated != name:
        raise JudgingError(
            f"{files[0]}: evidence of environment {validated}, not of {name}. Ask by "
            f"--env {validated}; another environment's policy is named by --policy FILE"
        )
    redactor = Redactor(environment.secrets)
    account = give_account(environment, merged.evidence, redact=redactor.redact)
    lines = [
        f"{account.headline}: {account.subject}",
        *reason_lines(account, shown=max(1, len(account.reasons)), width=width),
        *labelled("files", merged.remarks, width=width),
        *labelled("change", _changes(account, merged), width=width),
    ]
    return Opinion(redactor.redact("\n".join(lines)), EXIT_CODES[account.verdict.decision])


def is_evidence(path: Path) -> bool:
    """Whether a file, or the folder of a run's reports, holds evidence."""
    if path.is_dir():
        return True
    try:
        with path.open("rb") as lines:
            return lines.readline(_LONGEST_FIRST_LINE).startswith(b'{"type": "run"')
    except OSError:
        return False


def read_baseline(path: Path, environment: Environment, *, release: str | None) -> Baseline:
    """What a run before the deploy had seen.

    Args:
        path: Its evidence.jsonl, or the folder of its reports.
        environment: What is validated now.
        release: The release that is validated now.

    Raises:
        EvidenceError: The file can't be read.
        JudgingError: It is no whole run of this environment, or one of the same release.
    """
    file = path / "evidence.jsonl" if path.is_dir() else path
    evidence = merge_shards([file]).evidence
    run = evidence.run
    advice = "Name the evidence.jsonl of a run from right before the deploy"
    if run.environment != environment.name:
        raise JudgingError(
            f"{file}: is of environment {run.environment}, not of {environment.name}. {advice}"
        )
    if release is not None and run.release == release:
        raise JudgingError(
            f"{file}: is of release {release} itself, whose own faults it would excuse. {advice}"
        )
    if evidence.end is None or evidence.end.exit_status not in ENDED_NORMALLY:
        raise JudgingError(f"{file}: that run did not end normally. {advice}")
    if datetime.now(UTC) - evidence.end.at > FARTHEST_APART:
        raise JudgingError(f"{file}: that run ended more than a day ago. {advice}")
    return baseline_of(policy_of(environment), evidence)


def find_policy(name: str, directory: Path, *, variables: Mapping[str, str]) -> PolicyFound:
    """The policy of the environment of that name, where its file can be used here."""
    try:
        environment = load_environment(name, directory, variables=variables)
    except EnvironmentFileError as error:
        return PolicyFound(
            None, f"not judged again by a policy, for lack of one: {str(error).splitlines()[0]}"
        )
    return PolicyFound(policy_of(environment), f"judged again by {directory / name}.yaml")


def load_policy_file(path: Path, *, variables: Mapping[str, str]) -> Environment:
    """Read an environment file that is named by its path.

    Raises:
        JudgingError: It isn't called as environment files are.
        EnvironmentFileError: It can't be used.
    """
    if path.suffix != ".yaml":
        raise JudgingError(f"{path}: is no environment file. Name one that ends with .yaml")
    return load_environment(path.stem, path.parent, variables=variables)


def _changes(account: Account, merged: MergedShards) -> Iterator[str]:
    """What each run's own evidence says was decided, where that is something else."""
    decision = account.verdict.decision
    is_alone = merged.evidence.run.id in merged.given
    for run, given in merged.given.items():
        if given.verdict != decision:
            yield f"{given.verdict} becomes {decision}; run {run} said: {given.sentence}"
        elif is_alone and given.sentence != account.sentence:
            yield f"still {decision}, for other reasons; run {run} said: {given.sentence}"


def _unvisited(environment: Environment, evidence: Evidence) -> list[str]:
    """Categories that the environment describes and no check of a whole tier was about."""
    planned = {check.category for check in evidence.to_run}
    if not planned or evidence.run.tier is None:
        return []
    return [
        f"{category}: no check of this run is about it"
        for category in Category
        if environment.covers(category) and category not in planned
    ]
