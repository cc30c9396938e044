"""Questions that say nothing of the target and all of the runner; and answers that ask to wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from deployment_gate.environment import Indicator, IndicatorKind
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.judgement.control import blind_spans
from deployment_gate.probes.control import LOOPBACK, controlled_round
from deployment_gate.probes.sampler import Probe, Sampler

Serve = Callable[..., Any]
Http = Callable[..., bytes]
SAMPLER = Sampler(concurrency=8, user_agent="test/1")
ERRORS = Indicator(IndicatorKind.ERROR)


def probe(url: str) -> Probe:
    """A health probe of an address."""
    return Probe(subject="api", kind=ObservationKind.HEALTH, url=url, timeout_s=2)


def controls(seen: list[Observation]) -> dict[str, Observation]:
    """The controls of a round, by what was asked."""
    return {one.subject: one for one in seen if one.kind is ObservationKind.CONTROL}


def test_a_round_asks_the_target_first_and_beside_it_this_machine(serve: Serve) -> None:
    seen = controlled_round(SAMPLER, [probe(serve().url())], [])
    assert [one.subject for one in seen] == ["api", LOOPBACK]
    assert (seen[1].status, seen[1].facts) == (204, {"is_own": True})
    assert blind_spans(seen, ERRORS) == []


@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_control_that_the_environment_names_is_asked_too(
    status: int, serve: Serve, answer: Http
) -> None:
    control = serve(lambda _request: answer(b"", status)).url("/status")
    seen = controlled_round(SAMPLER, [probe(serve().url())], [control])
    assert controls(seen)[control].status == status
    assert bool(blind_spans(seen, ERRORS)) == (status != 200)


def test_a_control_that_nobody_answers_makes_blind(dead_port: int) -> None:
    control = f"http://127.0.0.1:{dead_port}/"
    seen = controlled_round(SAMPLER, [], [control])
    (span,) = blind_spans(seen, ERRORS)
    assert f"the control {control} gave no answer (connection refused)" in span.why


def test_the_names_that_are_asked_are_resolved(serve: Serve) -> None:
    port = serve().url().rpartition(":")[2]
    known = controlled_round(SAMPLER, [probe(f"http://localhost.localdomain:{port}")], [])
    unknown = controlled_round(SAMPLER, [probe("http://nowhere.invalid/")], [])
    assert "the name nowhere.invalid" in controls(unknown)
    assert "doesn't resolve on this machine" in (
        controls(unknown)["the name nowhere.invalid"].unobserved or ""
    )
    assert "the name localhost.localdomain" in controls(known)
    assert "the name 127.0.0.1" not in controls(controlled_round(SAMPLER, [], []))


@pytest.mark.parametrize(
    ("said", "status", "waits_s"),
    [
        ("120", 429, 120),
        ("0", 429, 0),
        ("99999999999", 429, 24 * 3600),
        ("in an hour", 429, 3600),
        ("an hour ago", 429, 0),
        ("soon", 429, None),
        ("-5", 429, None),
        ("", 429, None),
        ("120", 503, None),
    ],
)
def test_an_answer_that_asks_to_wait_says_for_how_long(
    said: str, status: int, waits_s: float | None, serve: Serve, answer: Http
) -> None:
    dates = {
        words: format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        for words, hours in (("in an hour", 1), ("an hour ago", -1))
    }
    header = dates.get(said, said)
    target = serve(lambda _request: answer(b"", status, retry_after=header))
    (seen,) = SAMPLER.round([probe(target.url())])
    if waits_s is None:
        assert "retry_after_s" not in seen.facts
    else:
        assert seen.facts["retry_after_s"] == pytest.approx(waits_s, abs=120)
