"""What the gate asks again: as whoever had asked, and never what a secret was cut from."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deployment_gate.environment import Environment, load_environment, policy_of
from deployment_gate.evidence import REDACTED, Observation, ObservationKind
from deployment_gate.lookout import Lookout
from deployment_gate.probes.sampler import Sampler
from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Target

ENVIRONMENT = """
health_endpoints: {api: {url: "TARGET/health"}}
release_identity: {api: {url: "TARGET/version", field: release}}
"""


@pytest.fixture
def lookout(target: Target, tmp_path: Path) -> Lookout:
    """One on a platform whose analyst is known by a header."""
    (tmp_path / "here.yaml").write_text(ENVIRONMENT.replace("TARGET", target.url))
    environment: Environment = load_environment("here", tmp_path, variables={})
    return Lookout(
        environment,
        policy_of(environment),
        sampler=Sampler(concurrency=4, user_agent="test/1"),
        observe=lambda *_: None,
        headers_of=lambda name: {"X-Who": name},
    )


def seen(url: str, status: int | None = 200, **facts: Any) -> Observation:
    """What a check saw."""
    return Observation(
        at=datetime.now(UTC),
        kind=ObservationKind.REQUEST,
        subject="GET /orders",
        duration_s=0.1,
        status=status,
        error=None if status else "connection refused",
        facts={"url": url, **facts},
    )


def test_a_request_is_asked_again_as_whoever_had_asked(
    lookout: Lookout,
    target: Target,
) -> None:
    once = seen(f"{target.url}/orders?page=2", repeatable=True, identity="analyst")
    again, *_ = lookout.look_at([once])
    assert target.requests == ["GET /orders"]
    assert (again.kind, again.subject, again.status) == (once.kind, "GET /orders", 200)
    assert again.facts == {**once.facts, "confirms": 200}
    assert lookout.can_look_at(again)


def test_who_is_not_let_in_any_more_sees_nothing(
    lookout: Lookout,
    target: Target,
) -> None:
    target.answers["/orders"] = repeat(Reply(status=401))
    url = f"{target.url}/orders"
    for status in (200, 500, None):
        lost, *_ = lookout.look_at([seen(url, status, repeatable=True)])
        assert lost.unobserved == "asked again, it answered 401: not let in any more"
        again, *_ = lookout.look_at([lost])
        assert again.unobserved
    still, *_ = lookout.look_at([seen(url, 401, repeatable=True)])
    assert still.unobserved is None


@pytest.mark.parametrize(
    ("facts", "can"),
    [
        ({"repeatable": True}, True),
        ({}, False),
        ({"repeatable": True, "url": f"http://api/orders?token={REDACTED}"}, False),
    ],
)
def test_only_plain_questions_are_asked_again(
    facts: dict[str, Any],
    *,
    can: bool,
    lookout: Lookout,
) -> None:
    assert lookout.can_look_at(seen(**{"url": "http://api/orders", **facts})) is can


def test_a_release_is_asked_for_once_more_and_a_stranger_not_at_all(
    lookout: Lookout,
    target: Target,
) -> None:
    kinds = [
        Observation(at=datetime.now(UTC), kind=kind, subject=name, duration_s=0.1, status=200)
        for kind, name in (
            (ObservationKind.RELEASE, "api"),
            (ObservationKind.RELEASE, "other"),
            (ObservationKind.HEALTH, "other"),
            (ObservationKind.DATABASE, "api"),
        )
    ]
    assert [lookout.can_look_at(one) for one in kinds] == [True, False, False, False]
    lookout.look_at(kinds[:1])
    assert target.requests == ["GET /version"]
