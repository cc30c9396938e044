"""A verdict in the words that every report shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from deployment_gate.environment import Action
from deployment_gate.evidence import Outcome
from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account

Make = Callable[..., Account]


def test_a_promote_says_what_it_stands_on(account: Make) -> None:
    promote = account()
    assert promote.headline == "PROMOTE"
    assert promote.subject == "staging, release 1.5.0, smoke"
    assert promote.sentence == "2 of 2 checks passed, all 1 triggers are clear."
    assert promote.next_step.startswith("Promote it")
    assert promote.counts == "2 passed, of 2"
    assert promote.looked == "1 observations in 12.3 s"


def test_a_promote_does_not_call_a_trigger_clear_that_is_not(
    account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    fired = trigger(TriggerState.FIRED, action=Action.NOTIFY, name="errors")
    assert account(triggers=(trigger(), fired)).sentence == (
        "2 of 2 checks passed, 1 of 2 triggers are clear."
    )


@pytest.mark.parametrize(
    ("decision", "headline", "step"),
    [
        (Decision.HOLD, "HOLD", "Do not promote, and do not roll back on this alone."),
        (Decision.ROLLBACK, "ROLL BACK", "Roll back to the previous version now"),
    ],
)
def test_every_other_decision_says_why_first_and_what_to_do(
    decision: Decision, headline: str, step: str, account: Make
) -> None:
    told = account("the disk is full.", "another", "third", decision=decision)
    assert told.headline == headline
    assert told.sentence == "the disk is full, and 2 more."
    assert told.next_step.startswith(step)


def test_a_single_reason_is_the_sentence(account: Make) -> None:
    assert account("the disk is full").sentence == "the disk is full."


def test_a_selection_says_so_and_is_not_to_be_promoted_on(account: Make) -> None:
    selected = account(run={"selection": "api", "tier": None, "release": None})
    assert selected.subject == "staging, no release named, a selection: api"
    assert selected.next_step == (
        "What was selected is well. Validate a whole tier before you promote."
    )


def test_counts_name_every_end_of_a_check(account: Make) -> None:
    counts = Counter({Outcome.FAILED: 1, Outcome.PASSED: 3, Outcome.SKIPPED: 2})
    assert account("x", counts=counts, planned=7).counts == ("3 passed, 1 failed, 2 skipped, of 7")
    assert account("x", counts={}, planned=7).counts == "none reported, of 7"


@pytest.mark.parametrize(
    ("decision", "status", "code"),
    [
        (Decision.PROMOTE, 0, 0),
        (Decision.HOLD, 0, 1),
        (Decision.HOLD, 1, 1),
        (Decision.HOLD, 2, 2),
        (Decision.HOLD, 3, 3),
        (Decision.HOLD, 4, 4),
        (Decision.HOLD, 5, 5),
        (Decision.HOLD, 6, 6),
        (Decision.HOLD, 143, 1),
        (Decision.HOLD, None, 1),
        (Decision.ROLLBACK, 1, 10),
        (Decision.ROLLBACK, 0, 10),
    ],
)
def test_the_exit_code_is_the_contracts(
    decision: Decision, status: int | None, code: int, account: Make
) -> None:
    reasons = [] if decision is Decision.PROMOTE else ["x"]
    assert account(*reasons, decision=decision, exit_status=status).exit_code == code


def test_only_a_promote_exits_with_zero(account: Make) -> None:
    for status in range(-15, 256):
        assert account("x", exit_status=status).exit_code != 0
