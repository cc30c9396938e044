"""Health endpoints, judged as the gate will judge them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from deployment_gate.discovery.asking import Reply
from deployment_gate.discovery.controls import Controls
from deployment_gate.discovery.names import slug, unused
from deployment_gate.discovery.platform import HealthFound
from deployment_gate.environment import HealthRule
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.judgement.indicators import BAD_STATES, Reading, read_health
from deployment_gate.probes.health import health_facts
from deployment_gate.probes.sampler import BODY_LIMIT, Answer

PATHS = (
    "/health",
    "/healthz",
    "/api/health",
    "/health/ready",
    "/health/live",
    "/readyz",
    "/livez",
    "/actuator/health",  # Spring Boot
    "/status",
    "/ping",
    "/ready",
    "/live",
    "/__heartbeat__",  # Mozilla's Dockerflow
    "/-/healthy",  # Prometheus and its like
    "/-/ready",
    "/healthcheck",
    "/api/healthz",
    "/api/status",
    "/api/v1/health",
    "/_health",
)
"""Where health is usually asked, the likeliest first."""

IS_HEALTH = re.compile(
    r"/(_*health(z|check|y)?|live(z|ness)?|ready(z)?|readiness|__(lb)?heartbeat__|ping)(/[\w-]+)?$",
    re.IGNORECASE,
)
"""Paths of a description that are about health."""

_TIMEOUT_S = 10.0
_RULE = HealthRule(
    expected_statuses=frozenset({200}), timeout_s=_TIMEOUT_S, content=None, may_be_page=False
)
_PAGE_RULE = HealthRule(
    expected_statuses=frozenset({200}), timeout_s=_TIMEOUT_S, content=None, may_be_page=True
)
_LONGEST = 16 * 1024
_UNWELL = frozenset({500, 503})
_KINDS = (
    ("live", re.compile(r"live", re.IGNORECASE)),
    ("ready", re.compile(r"read[yi]", re.IGNORECASE)),
)
_MOST = 10


def find_health(
    replies: Iterable[Reply | None], controls: Controls, *, site: str, used: set[str]
) -> list[HealthFound]:
    """Answer which addresses say whether the platform is well.

    One that says that it isn't is one as well: the first run then fails, and rightly so.

    Args:
        replies: What candidates answered.
        controls: How the site answers where there is nothing.
        site: What the site is called; part of the names where it isn't empty.
        used: The names that are used already; new ones are added.
    """
    found: list[HealthFound] = []
    known: set[object] = set()
    for reply in replies:
        said = _said(reply, controls) if reply else None
        if reply is None or said is None or len(found) >= _MOST:
            continue
        # /health and /healthz, say, are as a rule one thing with two addresses.
        mark = (_kind(reply), reply.content_type, _shape(reply))
        if mark in known or any(one.url == reply.url for one in found):
            continue
        known.add(mark)
        plain = re.sub(r"\.\w+$", "", urlsplit(reply.url).path)
        name = unused("_".join(part for part in (site, slug(plain)) if part), used)
        used.add(name)
        found.append(HealthFound(name=name, url=reply.url, said=said))
    return found


def page_as_health(reply: Reply, *, name: str) -> HealthFound | None:
    """Answer an address that isn't about health, but answers where the platform is there."""
    judged = read_health(observation_of(reply), _PAGE_RULE)
    if judged.reading is not Reading.GOOD:
        return None
    kind = "a page" if reply.is_page else reply.content_type or "something"
    return HealthFound(
        name=name,
        url=reply.url,
        said=f"answered {reply.status} with {kind}",
        is_page=reply.is_page,
        is_stand_in=True,
    )


def observation_of(reply: Reply) -> Observation:
    """Answer what the gate's own probe would have seen in an answer."""
    return Observation(
        at=reply.at,
        kind=ObservationKind.HEALTH,
        subject=reply.url,
        duration_s=reply.duration_s,
        status=reply.status,
        facts=_facts(reply),
    )


def _facts(reply: Reply) -> dict[str, object]:
    is_truncated = reply.is_truncated or len(reply.body) > BODY_LIMIT
    answer = Answer(reply.status, reply.headers, reply.body[:BODY_LIMIT], is_truncated)
    return health_facts(answer)


def _said(reply: Reply, controls: Controls) -> str | None:
    """What it says of its health; None where it says nothing of that."""
    if reply.is_page or controls.is_like(reply) or len(reply.body) > _LONGEST:
        return None
    if reply.leads_elsewhere:
        return None
    judged = read_health(observation_of(reply), _RULE)
    states = list(_states(reply))
    if judged.reading is Reading.GOOD:
        return f"answered {reply.status}" + (f" and says {states[0]}" if states else "")
    is_sure = bool(states) and (reply.is_success or reply.status in _UNWELL)
    if judged.reading is Reading.BAD and is_sure and BAD_STATES.intersection(states):
        return f"{judged.why}: it isn't well now"
    return None


def _states(reply: Reply) -> Iterator[str]:
    facts = _facts(reply)
    states = facts.get("states")
    if isinstance(states, dict):
        yield from (str(state) for state in states.values())
    if "word" in facts:
        yield str(facts["word"])


def _shape(reply: Reply) -> object:
    """What two addresses of one thing have in common: the names that it tells of."""
    body = reply.json
    return tuple(sorted(map(str, body))) if isinstance(body, dict) else None


def _kind(reply: Reply) -> str:
    """Whether it is about being alive or being ready: different things with the same answer."""
    path = urlsplit(reply.url).path
    named = next((name for name, pattern in _KINDS if pattern.search(path)), "")
    # Parts of the platform, as in /health/database, are each a thing of their own.
    part = re.search(r"/health[a-z]*/([\w-]+)$", path)
    return named or (part[1] if part else "")
