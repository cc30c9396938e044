"""What findings say in a check's report, as somebody reads it at night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from deployment_gate.environment import Policy, Tier, WaiverRule
from deployment_gate.evidence import Finding, FindingSeverity
from deployment_gate.judgement import weigh
from deployment_gate.security.rules import Looked, Rule, curl_of, told_exchange
from deployment_gate.security_fixtures import judging

DAY = date(2026, 11, 23)
HIGH = Rule(
    id="high-thing",
    severity=FindingSeverity.HIGH,
    title="A high thing",
    source="OWASP ASVS 5.0, 1.1.1",
    remedy="Mend it.",
)
WAIVER = WaiverRule("", "issue 12", "Ada", DAY, finding="high-thing", place="api *")


class Process(SimpleNamespace):
    """As much of the gate's process as judging needs."""

    def __init__(self, *waivers: WaiverRule) -> None:
        super().__init__(
            conduct=SimpleNamespace(attempt=1, unobserved=None),
            warnings=[],
            counts=True,
            recorded=[],
        )
        self.policy = Policy(
            triggers=(),
            health_endpoints={},
            identities={},
            required=dict.fromkeys(Tier, ()),
            waivers=waivers,
        )

    def record(self, findings: list[Finding]) -> None:
        """Keep them."""
        self.recorded += findings

    def weigh(self, findings: list[Finding]) -> Any:
        """As the real one does."""
        return weigh(self.policy, findings, DAY)


def judge(process: Process, looked: Looked) -> str:
    """What a check fails of; empty where it passes."""
    stash = {judging.process_key: process}
    request: Any = SimpleNamespace(
        config=SimpleNamespace(stash=stash), node=SimpleNamespace(nodeid="t::a")
    )
    tell = judging.judge_findings.__wrapped__(request)  # type: ignore[attr-defined]  # the fixture's
    try:
        tell(looked)
    except pytest.fail.Exception as failure:
        return str(failure)
    return ""


@pytest.fixture
def answer() -> Iterator[httpx.Response]:
    """An answer to a request."""
    request = httpx.Request(
        "POST", "http://api/login", headers={"Authorization": "Bearer x"}, content=b'{"a": "b c"}'
    )
    return httpx.Response(200, request=request, json={"ok": True})


def test_a_finding_is_told_with_all_that_somebody_needs(answer: httpx.Response) -> None:
    process = Process()
    breach = HIGH.found(
        "3 of 3",
        ["api POST /login", "web /"],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    told = judge(process, Looked((breach,)))
    (one,) = process.recorded
    assert told.splitlines() == [
        "high: A high thing: 3 of 3 [high-thing]",
        "  where: api POST /login, web /",
        "  rule: OWASP ASVS 5.0, 1.1.1",
        "  mend: Mend it.",
        f"  fingerprint: {one.fingerprint}",
        (
            "  see: curl --include --request POST --header 'authorization: Bearer x' "
            '--data-binary \'{"a": "b c"}\' http://api/login'
        ),
        "  > POST http://api/login",
        "  > authorization: Bearer x",
        '  > {"a": "b c"}',
        "  < 200",
        "  < content-length: 11",
        "  < content-type: application/json",
        '  < {"ok":true}',
    ]
    assert one.check == "t::a"
    assert one.at.tzinfo is UTC
    assert datetime.now(UTC) >= one.at
    assert not process.counts


def test_the_worst_comes_first_and_all_that_hold_are_told() -> None:
    critical = Rule(
        id="worst", severity=FindingSeverity.CRITICAL, title="Worst", source="x", remedy="y"
    )
    process = Process()
    told = judge(process, Looked((HIGH.found("a", ["x"]), critical.found("b", ["x"]))))
    assert told.startswith("critical: Worst: b [worst]\n")
    assert "\nhigh: A high thing: a [high-thing]\n" in told
    assert process.counts


def test_what_is_waived_at_some_places_says_which_under_its_sentence() -> None:
    told = judge(Process(WAIVER), Looked((HIGH.found("a", ["api GET /a", "web /"]),)))
    first, second, *_ = told.splitlines()
    assert first == "high: A high thing: a [high-thing]"
    assert second == ("  waived at api GET /a until 2026-11-23 by Ada (issue 12); not at web /")


def test_what_is_waived_is_a_warning_that_says_so() -> None:
    process = Process(WAIVER)
    assert judge(process, Looked((HIGH.found("a", ["api GET /a"]),))) == ""
    assert process.warnings == [
        "waived until 2026-11-23 by Ada (issue 12): high: A high thing: a [high-thing]"
    ]


def test_what_was_found_is_told_before_what_was_not_seen() -> None:
    process = Process()
    process.conduct.unobserved = "answered 429: it limits this runner's rate"
    told = judge(process, Looked((HIGH.found("a", ["x"]),), unseen=("half of it",)))
    assert told.startswith("high: ")
    assert process.conduct.unobserved is None


@pytest.mark.parametrize(
    ("unseen", "conduct", "said"),
    [
        (("a", "b"), None, "not observed: a; b"),
        ((), "answered 429", "not observed: answered 429"),
        ((), None, ""),
    ],
)
def test_what_was_not_seen_is_no_pass(
    unseen: tuple[str, ...], conduct: str | None, said: str
) -> None:
    process = Process()
    process.conduct.unobserved = conduct
    assert judge(process, Looked(unseen=unseen)) == said
    assert process.conduct.unobserved == (said.removeprefix("not observed: ") or None)
