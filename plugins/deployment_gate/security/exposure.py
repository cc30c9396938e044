"""Looking for what must not lie in the open, with a control for each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import httpx

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import (
    RANDOM,
    Base,
    is_there,
    read_beginning,
    told_head,
    unseen_of,
)
from deployment_gate.security.exposed_paths import Exposure, Probe
from deployment_gate.security.rules import Breach, Looked, Rule, curl_of

ANY_PATH = Rule(
    id="unknown-path-answered-200",
    severity=FindingSeverity.LOW,
    title="A path that can't exist is answered with a success",
    source="RFC 9110, 15.5.5; OWASP WSTG, WSTG-CONF-04",
    remedy="Answer 404 where nothing is, with the same page if you like. Until then neither "
    "monitoring nor search engines can tell what is gone.",
)
RULES = (ANY_PATH,)


def look_for(
    exposures: Iterable[Exposure], bases: Iterable[Base], *, is_public: Callable[[str], bool]
) -> Looked:
    """Look for what must not be there, on each base.

    Where an answer resembles the one to a path that can't exist, it shows nothing.

    Args:
        exposures: What is looked for.
        bases: Where.
        is_public: Whether anybody may see a path; it is heeded where that may be said.
    """
    bases = tuple(bases)
    breaches = []
    for exposure in exposures:
        seen = list(_seen(exposure, bases, is_public))
        if seen:
            breaches.append(_breach(exposure.rule, seen))
    return Looked(tuple(breaches), tuple(unseen_of(bases)))


def _seen(
    exposure: Exposure, bases: Iterable[Base], is_public: Callable[[str], bool]
) -> Iterator[tuple[str, httpx.Response]]:
    """The places where it is, and their answers."""
    for base in bases:
        for probe in exposure.probes:
            if exposure.may_be_public and is_public(probe.path):
                continue
            answer = _shown(probe, base)
            if answer is not None:
                yield base.place(probe.path), answer


def _shown(probe: Probe, base: Base) -> httpx.Response | None:
    """The answer that proves a probe; None where nothing does."""
    if probe.beginning is not None:
        part = read_beginning(base, probe.path)
        if part is None or not probe.beginning(part):
            return None
        return part.answer or part.head
    answer = base.ask(probe.path)
    further = _leads_on(answer, base) if answer is not None else None
    if further is not None:
        answer = base.ask(further)
    if answer is None or probe.proof is None:
        return None
    if not answer.is_success or not probe.proof(answer):
        return None
    return answer if is_there(answer, base, probe.path) else None


def _leads_on(answer: httpx.Response, base: Base) -> httpx.URL | None:
    """What a redirect leads to below the path itself, as that of /docs to /docs/ does."""
    if not answer.has_redirect_location:
        return None
    asked = answer.request.url
    to = base.below(answer.headers["Location"], at=asked)
    return to if to and to.path.startswith(f"{asked.path.rstrip('/')}/") and to != asked else None


def _breach(rule: Rule, seen: list[tuple[str, httpx.Response]]) -> Breach:
    places = [place for place, _ in seen]
    answer = seen[0][1]
    size = answer.headers.get("Content-Length") or len(answer.content)
    kind = answer.headers.get("Content-Type", "").partition(";")[0] or "no content type"
    more = f", and {len(places) - 1} more" if len(places) > 1 else ""
    return rule.found(
        f"{places[0]} was answered {answer.status_code} with {size} bytes of {kind} that are "
        f"what the path promises{more}",
        places,
        exchange=told_head(answer),
        curl=curl_of(answer.request),
    )


def look_at_unknown_paths(bases: Iterable[Base]) -> Looked:
    """Ask each base for a path that can't exist."""
    bases = tuple(bases)
    asked = [(base, base.control(f"/{RANDOM}")) for base in bases]
    seen = [
        (base.place(f"/{RANDOM}"), answer) for base, answer in asked if answer and answer.is_success
    ]
    if not seen:
        return Looked((), tuple(unseen_of(bases)))
    told = ", ".join(f"{place} was answered {answer.status_code}" for place, answer in seen)
    breach = ANY_PATH.found(told, [place for place, _ in seen], exchange=told_head(seen[0][1]))
    return Looked((breach,), tuple(unseen_of(bases)))
