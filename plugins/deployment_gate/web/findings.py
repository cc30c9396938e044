"""What speaks against a page, by what its visit showed: a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from deployment_gate.environment import Impact, WebTarget
from deployment_gate.web.accessibility import sentence
from deployment_gate.web.blame import NO_PAGE
from deployment_gate.web.layout import heading_faults as _heading_faults
from deployment_gate.web.layout import image_faults, overflow_faults, target_faults
from deployment_gate.web.visit import Resource, Visit

_FIRST_REFUSAL = 400
PAGE_TYPES = {"text/html", "application/xhtml+xml"}

# What a page needs and is never a page itself.
_PARTS = {"script", "stylesheet", "image", "font", "media", "manifest"}

# Chromium's own lines about requests that failed, which are told as what the page needs.
_OF_REQUESTS = (
    "Failed to load resource:",
    "Failed to load module script:",
    "Refused to execute script from",
    "Refused to apply style from",
)


def load_faults(visit: Visit) -> list[str]:
    """Why it isn't there."""
    if visit.error:
        return [visit.error]
    if visit.status is not None and visit.status >= _FIRST_REFUSAL:
        return [f"it was answered {visit.status}"]
    return []


def heading_faults(visit: Visit, target: WebTarget) -> list[str]:
    """It has no title or no main heading, or another one than it must have."""
    if visit.layout is None:
        return []
    faults = _heading_faults(visit.layout)
    page = target.shown.get(visit.name)
    expected = page.heading if page else None
    if expected and visit.layout.headings and expected not in visit.layout.headings:
        shown = ", ".join(f'"{text}"' for text in visit.layout.headings)
        faults.append(f'its main heading is {shown}, not "{expected}"')
    return faults


def resource_faults(visit: Visit) -> list[str]:
    """What it needs and doesn't get; what goes to others is told elsewhere."""
    wanting = [fault for one in visit.resources for fault in _wanting(one, visit)]
    if visit.layout is not None:
        told = {
            one.address for one in visit.resources if one.is_blocked or any(_wanting(one, visit))
        }
        others = tuple(one for one in visit.layout.broken_images if one not in told)
        wanting += image_faults(replace(visit.layout, broken_images=others))
    return list(dict.fromkeys(wanting))


def _wanting(one: Resource, visit: Visit) -> Iterator[str]:
    if one.kind == "document" or one.is_blocked:
        return
    name = f"{one.kind} {one.address}"
    if one.failure and not _is_given_up(one.failure):
        yield f"{name} didn't arrive: {one.failure}"
    elif one.status is not None and one.status >= _FIRST_REFUSAL and one.kind in _PARTS:
        yield f"{name} was answered {one.status}"
    elif one.status is not None and one.status >= _FIRST_REFUSAL:
        yield f"{one.method} {one.address} was answered {one.status}"
    elif one.kind in _PARTS and one.content_type in PAGE_TYPES:
        yield (
            f"{name} was answered with a page: it is missing, and what answers for any path "
            "answered in its place"
        )
    if _is_mixed(one, visit):
        yield f"{name} is asked without TLS by a page with it"


def _is_given_up(failure: str) -> bool:
    """The page itself led on before it came, or a stream was closed."""
    return "ERR_ABORTED" in failure


def _is_mixed(one: Resource, visit: Visit) -> bool:
    """Browsers themselves take loopback for safe (Secure Contexts, 3.1)."""
    parts = urlsplit(one.address)
    is_local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return visit.address.startswith("https:") and parts.scheme == "http" and not is_local


def console_faults(visit: Visit) -> list[str]:
    """What its console says is wrong, without what is said of requests that failed."""
    return [
        one.text if one.address in {"", visit.address} else f"{one.text} ({one.address})"
        for one in visit.console
        if not one.text.startswith(_OF_REQUESTS)
    ]


def is_page(visit: Visit) -> bool:
    """Whether there is a page, or should be one: links also lead to pictures and files."""
    return not (visit.error or "").endswith(NO_PAGE)


def blocked_hosts(visit: Visit) -> list[str]:
    """The hosts of others that it asks, and isn't let to."""
    hosts = [urlsplit(one.address).netloc for one in visit.resources if one.is_blocked]
    return list(dict.fromkeys(hosts))


def accessibility_faults(visit: Visit, target: WebTarget) -> tuple[list[str], list[str]]:
    """What is inaccessible: what counts as a failure, and what is only told."""
    ranks = list(Impact)
    grave: list[str] = []
    slight: list[str] = []
    for violation in visit.violations or ():
        is_grave = ranks.index(violation.impact) >= ranks.index(target.inaccessible)
        (grave if is_grave else slight).append(sentence(violation))
    return grave, slight


def layout_faults(visit: Visit) -> list[str]:
    """What doesn't fit its device."""
    return [] if visit.layout is None else overflow_faults(visit.layout)


def touch_faults(visit: Visit) -> list[str]:
    """What is too small to be touched."""
    return [] if visit.layout is None else target_faults(visit.layout)


def navigation_faults(visit: Visit) -> list[str]:
    """Its navigation can't be seen, and what should open it doesn't.

    A page that has none, a sign-in say, lacks nothing.
    """
    layout = visit.layout
    if layout is None or layout.navigation_links or layout.menu_button is None:
        return []
    if visit.menu_links:
        return []
    return [f'its button "{layout.menu_button}" was pressed, and no link of its navigation shows']


def is_unwell(visit: Visit, target: WebTarget) -> bool:
    """Whether a report will want to show how it looked."""
    return bool(
        load_faults(visit)
        or heading_faults(visit, target)
        or resource_faults(visit)
        or console_faults(visit)
        or visit.exceptions
        or layout_faults(visit)
        or touch_faults(visit)
        or navigation_faults(visit)
        or accessibility_faults(visit, target)[0]
    )
