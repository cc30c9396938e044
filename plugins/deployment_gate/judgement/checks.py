"""What the checks' outcomes say against promoting: failures, gaps, waivers, what was so before."""

from __future__ import annotations

from collections.abc import Iterator

from deployment_gate.environment import Category, Indicator, IndicatorKind, Policy, Tier
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Severity,
)
from deployment_gate.judgement.findings import (
    JudgedFinding,
    Standing,
    by_check,
    is_failed_by,
    weigh_evidence,
)
from deployment_gate.judgement.indicators import Reading, read_indicator
from deployment_gate.judgement.reasons import Decision, Reason
from deployment_gate.judgement.waivers import waiver_on, waivers_of, waivers_of_finding

_SAID = {
    Outcome.FAILED: "failed",
    Outcome.WAIVED: "failed",
    Outcome.ERROR: "could not be carried out",
    Outcome.SKIPPED: "was skipped, and a check that is to run must run",
    Outcome.XFAILED: "failed as it was expected to, and nobody waived it",
    Outcome.XPASSED: "passed against its own expectation",
}
_PASSES = frozenset({Outcome.PASSED, Outcome.FLAKY})
_LOOKED = _PASSES | {Outcome.WARNED, Outcome.WAIVED}
"""How checks end that saw what they were to see."""

_ERRORS = Indicator(IndicatorKind.ERROR)


def check_reasons(policy: Policy, evidence: Evidence) -> Iterator[Reason]:
    """Why checks hold: those that didn't pass, weren't run, or passed only later."""
    planned = {check.id: check for check in evidence.plan}
    not_run: dict[str, list[str]] = {}
    found = by_check(weigh_evidence(policy, evidence))
    for outcome in evidence.outcomes:
        check = planned.get(outcome.id)
        findings = found.get(outcome.id, [])
        holding = [one for one in findings if one.holds]
        is_of_findings = is_failed_by(outcome, findings)
        if outcome.outcome is Outcome.NOT_RUN:
            not_run.setdefault(outcome.message, []).append(check.category if check else "")
        elif outcome.outcome is Outcome.FLAKY and policy.flaky_checks_hold:
            yield _hold(f"{outcome.id} is flaky, which holds here: {outcome.message}")
        elif outcome.outcome in _SAID and not (
            check and waiver_on(policy, check, evidence.run.started.date())
        ):
            if is_of_findings and not holding:
                continue
            text = f"{outcome.id} {_SAID[outcome.outcome]}"
            if check:
                text += _beside_failure(policy, evidence, check)
            message = _told(holding) if is_of_findings else outcome.message
            yield _hold(f"{text}{f': {message}' if message else ''}")
        elif holding:
            yield _hold(f"{outcome.id} found what isn't accepted: {_told(holding)}")
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
    found = by_check(weigh_evidence(policy, evidence))
    for outcome in evidence.outcomes:
        check = planned.get(outcome.id)
        findings = found.get(outcome.id, [])
        if is_failed_by(outcome, findings):
            # What it failed of is a reason; this is what it found beside that.
            yield from (_note(one) for one in findings if not one.holds)
        elif outcome.outcome is Outcome.WARNED:
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
                yield f"the waiver of {waiver.named()} ({waiver.owner}) is about no check any more"
        yield from _needless_waivers(policy, evidence)
    yield from _before_and_after(policy, evidence)


def _needless_waivers(policy: Policy, evidence: Evidence) -> Iterator[str]:
    """Waivers of findings that are there no more; of what wasn't looked at that isn't known."""
    found = by_check(weigh_evidence(policy, evidence))
    ended = {outcome.id: outcome for outcome in evidence.outcomes}
    checks = [check.id for check in evidence.to_run if check.category == Category.SECURITY]
    if not checks or not all(
        (outcome := ended.get(check))
        and (outcome.outcome in _LOOKED or is_failed_by(outcome, found.get(check, [])))
        for check in checks
    ):
        return
    met = {
        waiver
        for one in evidence.findings
        for waiver in waivers_of_finding(policy, one)
        if any(map(waiver.covers, one.places or ("",)))
    }
    for waiver in policy.waivers:
        if waiver.finding and waiver not in met:
            yield f"the waiver of {waiver.named()} ({waiver.owner}) is about no finding any more"


def _told(holding: list[JudgedFinding]) -> str:
    """The worst of a check's findings, and how many more hold."""
    more = len(holding) - 1
    others = f", and {more} more {'finding' if more == 1 else 'findings'}" if more else ""
    return f"{holding[0].sentence()}{others}"


def _note(one: JudgedFinding) -> str:
    """A finding that doesn't decide."""
    if one.standing is Standing.WAIVED:
        return f"waived {one.waived}: {one.finding.check}: {one.finding.sentence}"
    return f"warning: {one.finding.check}: {one.sentence()}"


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
