"""The health sweep: what an endpoint's answer says of itself and of what it depends on."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from deployment_gate.environment import HealthEndpoint
from deployment_gate.evidence import ObservationKind
from deployment_gate.probes.sampler import Answer, Probe

STALE_AFTER = timedelta(seconds=2)
"""An answer whose own timestamp is further from now is asked again past any cache; one from a
clock that is wrong then shows that its timestamp moves."""

_EARLIEST_S = 10**9
"""Numbers below are no moments since 1970 (these were in 2001), but durations, say."""

_WORD_LENGTH = 32
"""A plain text of at most so many bytes may be a state; a longer one is prose."""

_DEPTH = 6
_COMPONENTS = 100
_STATE_KEYS = ("status", "state", "healthy", "ok")
_PART_KEYS = ("connected", "available", "alive")
_TIME_KEYS = ("timestamp", "time", "checked_at", "generated_at", "now")
_CACHE_HEADERS = ("X-Cache", "CF-Cache-Status", "X-Cache-Status", "X-Proxy-Cache")


def health_probe(name: str, endpoint: HealthEndpoint) -> Probe:
    """The probe that asks the health endpoint called `name`."""
    return Probe(
        subject=name,
        kind=ObservationKind.HEALTH,
        url=endpoint.url,
        timeout_s=endpoint.timeout.total_seconds(),
        read=health_facts,
    )


def past_the_cache(probe: Probe) -> Probe:
    """The same question, put so that no cache on the way may answer it (RFC 9111, 5.2.1.4)."""
    mark = "&" if "?" in probe.url else "?"
    return replace(
        probe,
        url=f"{probe.url}{mark}_={uuid4().hex}",
        headers={"Cache-Control": "no-cache", "Pragma": "no-cache"},
    )


def health_facts(answer: Answer) -> dict[str, Any]:
    """The facts in a health answer.

    Returns:
        `content_type`; `states`, the reported state by component, the whole's under ""; `page`
        when it is an HTML page; `cached`, what says that a cache answered; `timestamp`, the
        moment that the answer names for itself; `word`, what a short plain text says; `unread`
        when there is more than was read, `not_json` when it isn't the JSON that it claims.
    """
    content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    facts: dict[str, Any] = {"content_type": content_type}
    text = answer.body.removeprefix(codecs.BOM_UTF8)
    start = text[:512].lstrip().lower()
    if content_type == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        facts["page"] = True
    cached = _cached_by(answer.headers)
    if cached:
        facts["cached"] = cached
    if start.startswith((b"{", b"[")) or content_type.endswith("json"):
        try:
            body = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError):
            facts["unread" if answer.is_truncated else "not_json"] = True
        except (ValueError, RecursionError):
            facts["unread"] = True  # valid, but beyond what Python reads: a huge number, say
        else:
            facts |= _states_and_time(body)
    elif content_type == "text/plain" and len(answer.body) <= _WORD_LENGTH and "page" not in facts:
        # ASP.NET's health checks answer with the bare state.
        facts["word"] = text.decode(errors="replace").strip().lower()
    return facts


def looks_cached(facts: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether the answer may be an old one, so that it is worth asking past the cache."""
    if "cached" in facts:
        return True
    moment = _moment(facts.get("timestamp"))
    return moment is not None and abs(now - moment) > STALE_AFTER


def _cached_by(headers: Mapping[str, str]) -> str | None:
    age = headers.get("Age", "").strip()
    if age.isascii() and age.isdigit() and int(age) > 0:
        return f"Age: {age}"
    for name in _CACHE_HEADERS:
        value = headers.get(name, "")
        if "hit" in value.lower():
            return f"{name}: {value}"
    return None


def _states_and_time(body: object) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    states: dict[str, str] = {}
    for path, state in _states(body, "", 0):
        states.setdefault(path, state)
        if len(states) >= _COMPONENTS:
            facts["unread"] = True
            break
    if states:
        facts["states"] = states
    if isinstance(body, str | bool):
        facts["word"] = str(body).lower()
    if isinstance(body, dict):
        facts |= _plain_values(body)
        for key in _TIME_KEYS:
            if isinstance(body.get(key), str | int | float) and _moment(body[key]):
                facts["timestamp"] = body[key]
                break
    return facts


def _states(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Reported states, wherever they are nested.

    Reads the common formats alike: Spring Boot's `components`, the `checks` of
    draft-inadarei-api-health-check, ASP.NET's `entries`, Terminus' `details`.
    """
    if depth > _DEPTH:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _states(item, path if len(value) == 1 else f"{path}[{index}]", depth + 1)
    if not isinstance(value, dict):
        return
    wholes = [key for key in _STATE_KEYS if isinstance(value.get(key), str | bool)]
    parts = [key for key in _PART_KEYS if isinstance(value.get(key), str | bool)]
    # The first speaks for the whole; that another contradicts it must not be lost.
    for key in wholes[:1]:
        yield path, str(value[key]).lower()
    for key in (*wholes[1:], *parts):
        yield f"{path}.{key}".lstrip("."), str(value[key]).lower()
    for key, item in value.items():
        if isinstance(item, dict | list):
            yield from _states(item, f"{path}.{key}".lstrip("."), depth + 1)
        elif depth and isinstance(item, str | bool) and _is_plain_component(path, key):
            yield f"{path}.{key}", str(item).lower()


def _plain_values(body: dict[str, Any]) -> dict[str, Any]:
    """`{"status": "ok", "database": "down"}`: what stands beside the state, as it is."""
    plain = {
        key: item.lower()
        for key, item in body.items()
        if isinstance(item, str) and len(item) <= _WORD_LENGTH and key not in _STATE_KEYS
    }
    return {"plain": dict(list(plain.items())[:_COMPONENTS])} if plain else {}


def _is_plain_component(path: str, key: str) -> bool:
    """`{"components": {"database": "ok"}}`: a component's state without an object of its own."""
    container = path.rpartition(".")[2]
    return container in {"components", "checks", "services", "dependencies"} and (
        key not in _STATE_KEYS
    )


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and value >= _EARLIEST_S:
            # Seconds or milliseconds since 1970; the former reach 10^11 in the year 5138.
            return datetime.fromtimestamp(value / 1000 if value > 10**11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
