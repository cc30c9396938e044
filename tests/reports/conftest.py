"""Accounts to report, made of a few words, and files of real runs to verify."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from deployment_gate.environment import Action, Tier
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.judgement import Decision, Reason, TriggerResult, TriggerState, Verdict
from deployment_gate.judging import find_policy
from deployment_gate.reports.account import Account
from deployment_gate.reports.verification import Demand, RefusalError, verify_reports
from tests.plugin.conftest import Reply, Reports
from tests.runs import RELEASE, Workshop, copy_of, workshop

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

START = datetime(2026, 11, 23, 3, 0, 0, tzinfo=UTC)

SMOKE = ("-m", "smoke", f"--release={RELEASE}")
BROKEN = """
    import pytest
    pytestmark = pytest.mark.smoke

    @pytest.fixture
    def broken():
        yield
        raise RuntimeError("broken")

    def test_fails_and_breaks(broken):
        assert False

    def test_breaks(broken):
        pass

    def test_is_skipped():
        pytest.skip("not here")
"""


def _trigger(
    state: TriggerState = TriggerState.CLEAR, name: str = "health_check_failure", **changes: Any
) -> TriggerResult:
    usual = TriggerResult(
        name=name,
        state=state,
        action=Action.ROLLBACK,
        phrase="Health check fails for 3 consecutive attempts",
        why="",
        bad=0,
        total=4,
    )
    return replace(usual, **changes)


@pytest.fixture
def trigger() -> Callable[..., TriggerResult]:
    """Make what became of a trigger; it is clear, unless said otherwise."""
    return _trigger


@pytest.fixture
def account() -> Callable[..., Account]:
    """Make the account of a smoke run: a promote, or what the reasons come to."""

    def account(
        *texts: str,
        decision: Decision | None = None,
        rule: str = "check",
        run: dict[str, Any] | None = None,
        exit_status: int | None = 0,
        **changes: Any,
    ) -> Account:
        decided = decision or (Decision.HOLD if texts else Decision.PROMOTE)
        fields = {
            name: changes.pop(name)
            for name in ("notes", "triggers", "counts", "planned")
            if name in changes
        }
        verdict = Verdict(
            decision=decided,
            reasons=tuple(Reason(decided, rule, text) for text in texts),
            **{"triggers": (_trigger(),), "counts": Counter({Outcome.PASSED: 2}), "planned": 2}
            | fields,
        )
        usual = {
            "id": "0123abcd",
            "environment": "staging",
            "started": START,
            "release": "1.5.0",
            "tier": "smoke",
            "tool": "gate 1",
        }
        evidence = Evidence(
            run=Run(**usual | (run or {})),
            plan=(PlannedCheck(id="t::a", category="health"),),
            observations=(
                Observation(
                    at=START, kind=ObservationKind.HEALTH, subject="api", duration_s=0.1, status=200
                ),
            ),
            outcomes=(CheckOutcome(id="t::a", outcome=Outcome.PASSED, at=START, duration_s=0.1),),
            end=None
            if exit_status is None
            else RunEnd(at=START + timedelta(seconds=12.34), exit_status=exit_status),
        )
        known = {"evidence": evidence, "health_endpoints": {"api": "http://api/health"}, **changes}
        return Account(run=evidence.run, verdict=verdict, **known)

    return account


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The project whose runs are verified."""
    with workshop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="session")
def promote(shop: Workshop) -> Reports:
    """What a smoke run left that promotes."""
    reports = shop.validate("promote", *SMOKE)
    assert reports.verdict["verdict"] == "promote", reports.why
    return reports


@pytest.fixture(scope="session")
def again(shop: Workshop, promote: Reports) -> Reports:
    """What another one left, of the same release."""
    reports = shop.validate("again", *SMOKE)
    assert reports.verdict["run"] != promote.verdict["run"]
    return reports


@pytest.fixture(scope="session")
def rollback(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """What one left that rolls back, with checks that failed, were skipped and broke."""
    with workshop(tmp_path_factory.mktemp("broken")) as shop:
        shop.write("validation/health/test_broken.py", BROKEN)
        shop.target.answers["/health/api"] = cycle([Reply(status=503)])
        reports = shop.validate("rollback", *SMOKE)
    assert reports.verdict["verdict"] == "rollback"
    return reports


@pytest.fixture
def edited(promote: Reports, tmp_path: Path) -> Reports:
    """A copy of the files that promote, to be edited."""
    return copy_of(promote, tmp_path / "edited")


@pytest.fixture
def verify(shop: Workshop, promote: Reports) -> Callable[..., str]:
    """Verify files a minute after the promote; what was verified."""

    def verify(
        reports: Reports,
        *,
        path: Path | None = None,
        later: timedelta = timedelta(minutes=1),
        env_dir: str = "environments",
        **asked: Any,
    ) -> str:
        known: dict[str, Any] = {
            "release": RELEASE,
            "tier": Tier.SMOKE,
            "max_age": timedelta(minutes=30),
            **asked,
        }
        return verify_reports(
            path or reports.path,
            Demand(**known),
            now=datetime.fromisoformat(promote.verdict["ended"]) + later,
            find_policy=partial(find_policy, directory=shop.folder / env_dir, variables={}),
        )

    return verify


@pytest.fixture
def refusal(verify: Callable[..., str]) -> Callable[..., str]:
    """Verify files that are to be refused; why, in one line that says what to do next."""

    def refusal(reports: Reports, *, exit_code: int = 1, **asked: object) -> str:
        with pytest.raises(RefusalError) as caught:
            verify(reports, **asked)
        message = str(caught.value)
        assert caught.value.exit_code == exit_code, message
        assert "\n" not in message
        assert re.search(
            r"\b(Validate|Name|Roll|Look|Set|Mend|Judge|Take|Do not promote)\b", message
        ), message
        return message

    return refusal
