"""What the checks' outcomes say against promoting: failures, gaps, waivers, what was so before."""

from __future__ import annotations

from collections.abc import Iterator

from deployment_gate.environment import Indicator, IndicatorKind, Policy, Tier
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Severity,
)
from deployment_gate.judgement.indicators import Reading, read_indicator
from deployment_gate.judgement.reasons import Decision, Reason
from deployment_gate.judgement.waivers import waiver_on, waivers_of

_SAID = {
    Outcome.FAILED: "failed",
    Outcome.WAIVED: "failed",
    Outcome.ERROR: "could not be carried out",
    Outcome.SKIPPED: "was skipped, and a check that is to run must run",
    Outcome.XFAILED: "failed as it was expected to, and nobody waived it",
    Outcome.XPASSED: "passed against its own expectation",
}
_PASSES = frozenset({Outcome.PASSED, Outcome.FLAKY})
_ERRORS = Indicator(IndicatorKind.ERROR)


def check_reasons(policy: Policy, evidence: Evidence) -> Iterator[Reason]:
    """Why checks hold: those that didn't pass, weren't run, or passed only later."""
    planned = {check.id: check for check in evidence.plan}
    not_run: dict[str, list[str]] = {}
    for outcome in evidence.outcomes:
        check = planned.get(outcome.id)
        if outcome.outcome is Outcome.NOT_RUN:
            not_run.setdefault(outcome.message, []).append(check.category if check else "")
        elif outcome.outcome is Outcome.FLAKY and policy.flaky_checks_hold:
            yield _hold(f"{outcome.id} is flaky, which holds here: {outcome.message}")
        elif outcome.outcome in _SAID and not (
            check and waiver_on(policy, check, evidence.run.started.date())
        ):
            text = f"{outcome.id} {_SAID[outcome.outcome]}"
            if check:
                text += _beside_failure(policy, evidence, check)
            message = f": {outcome.message}" if outcome.message else ""
            yield _hold(f"{text}{message}")
    for why, categories in not_run.items():
        checks = "1 check" if len(categories) == 1 else f"{len(categories)} checks"
        yield _hold(f"{checks} of {', '.join(sorted(set(categories)))} not run: {why}")


def plan_reasons(policy: Policy, evidence: Evidence) -> Iterator[Reason]:
    """What was to run and didn't, and which categories nothing speaks for."""
    reported = {outcome.id: outcome.outcome for outcome in evidence.outcomes}
    missing = [check.id for check in evidence.to_run if check.id not in reported]
    if missing:
        yield Reason(
            Decision.HOLD,
            "plan",
            f"{len(missing)} of {len(evidence.to_run)} checks did not report, "
            f"the first of them {missing[0]}",
        )
    passed = {check.category for check in evidence.plan if reported.get(check.id) in _PASSES}
    tier = evidence.run.tier
    for category in policy.required[Tier(tier)] if tier else ():
        if category not in passed:
            yield Reason(
                Decision.HOLD, "plan", f"no check of the required category {category!r} passed"
            )
    if not passed:
        yield Reason(Decision.HOLD, "plan", "no check passed, so nothing speaks for promoting")


def check_notes(policy: Policy, evidence: Evidence) -> Iterator[str]:
    """What checks showed that doesn't decide: warnings, flaky ones, waivers, before and after."""
    planned = {check.id: check for check in evidence.plan}
    for outcome in evidence.outcomes:
        check = planned.get(outcome.id)
        if outcome.outcome is Outcome.WARNED:
            # What passes and has something to say all the same, a critical check does by a warning.
            severity = check.severity if check else Severity.WARNING
            level = Severity.WARNING if severity is Severity.CRITICAL else severity
            yield f"{level}: {outcome.id}: {outcome.message}"
        elif outcome.outcome is Outcome.FLAKY and not (check and check.subject):
            # Of a health endpoint, its trigger tells it as a blip.
            yield f"flaky: {outcome.id}: {outcome.message}"
        elif outcome.outcome in _SAID and check:
            waiver = waiver_on(policy, check, evidence.run.started.date())
            if waiver:
                yield (
                    f"waived until {waiver.expires} by {waiver.owner} ({waiver.reason}): "
                    f"{outcome.id}: {outcome.message}"
                )
    if evidence.run.tier == Tier.FULL:
        for waiver in policy.waivers:
            if waiver.check and not any(waiver.is_about(check.id) for check in evidence.plan):
                yield f"the waiver of {waiver.check} ({waiver.owner}) is about no check any more"
    yield from _before_and_after(policy, evidence)


def _hold(text: str) -> Reason:
    return Reason(Decision.HOLD, "check", text)


def _beside_failure(policy: Policy, evidence: Evidence, check: PlannedCheck) -> str:
    """What else is known of a check that didn't pass: a waiver that is over, or a run before."""
    text = ""
    if waivers := waivers_of(policy, check):
        last = max(waivers, key=lambda waiver: waiver.expires)
        text += f" (its waiver expired on {last.expires}; {last.owner} sees to it)"
    before = evidence.before
    if before and check.id in before.failed:
        text += f" (pre-existing: it did in run {before.run} before the deploy, too)"
    return text


def _before_and_after(policy: Policy, evidence: Evidence) -> Iterator[str]:
    before = evidence.before
    if before is None:
        return
    answers, errors = count_errors(policy, evidence)
    if errors:
        yield (
            f"{before.errors or 'no'} errors in {before.answers} answers before the deploy "
            f"(run {before.run}), {errors} in {answers} after it"
        )
    if before.unwell:
        names = ", ".join(before.unwell)
        yield f"pre-existing: {names} failed before the deploy (run {before.run})"


def count_errors(policy: Policy, evidence: Evidence) -> tuple[int, int]:
    """How many answers to checks' requests were good or bad, and how many of them were errors."""
    read = [
        judged.reading
        for one in evidence.observations
        if one.kind is ObservationKind.REQUEST
        and (judged := read_indicator(_ERRORS, one, policy)) is not None
    ]
    bad = read.count(Reading.BAD)
    return bad + read.count(Reading.GOOD), bad


def failed_checks(evidence: Evidence) -> tuple[CheckOutcome, ...]:
    """The checks that failed, whether that was accepted or not."""
    return tuple(
        outcome
        for outcome in evidence.outcomes
        if outcome.outcome in {Outcome.FAILED, Outcome.WAIVED, Outcome.ERROR}
    )
