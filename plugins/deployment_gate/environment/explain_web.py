"""The web interface as it was understood, in sentences for people."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.elements import Element
from deployment_gate.environment.model import Environment
from deployment_gate.environment.sizes import format_size
from deployment_gate.environment.terms import percent
from deployment_gate.environment.web_sections import Speed, WebPage, WebStep, WebTarget


def explain_web(environment: Environment) -> Iterator[str]:
    """Yield what the `web` section means, line by line."""
    web = environment.web
    if web is None:
        return
    yield f"at {web.base_url}; what it shows is waited for up to {format_duration(web.timeout)}"
    own = urlsplit(web.base_url).hostname or ""
    others = ", ".join(sorted(environment.hosts() - {own}))
    beside = f"beside {own} only {others}" if others else f"only {own}"
    yield f"its pages may ask {beside}; all other hosts are kept from the browser"
    yield from _signing(environment, web)
    for name, page in web.shown.items():
        yield _page(name, page, web)
    if web.finds:
        yield f"up to {web.finds.at_most} pages are found by links from {web.finds.start} on"
    sizes = (
        f"{name} ({device.width} x {device.height}{', touched' if device.touch else ''})"
        for name, device in web.devices.items()
    )
    yield f"devices: {', '.join(sizes)}"
    yield from _speed(web.speed)
    pictures = web.pictures
    yield (
        f"of an approved picture{_masked(pictures.masks)}{',' if pictures.masks else ''} at most "
        f"{percent(pictures.tolerance)} of the pixels may differ"
    )
    yield f"what is inaccessible is a failure from {web.inaccessible} on"


def explain_web_journeys(web: WebTarget | None) -> Iterator[str]:
    """Yield what the journeys through pages do, line by line."""
    for name, journey in (web.journeys if web else {}).items():
        who = f", as {journey.identity}" if journey.identity else ""
        leave = ", where writing is allowed" if journey.writes else ""
        told = f": {journey.description}" if journey.description else ""
        yield f"{name}, {_tier(is_smoke=journey.smoke)}{who}, on {journey.device}{leave}{told}"
        yield from _steps(journey.steps)
        for step in journey.cleanup:
            yield f"  at the end: {_step(step)}"


def _signing(environment: Environment, web: WebTarget) -> Iterator[str]:
    if not web.sign_in:
        yield "nobody signs in by its pages"
        return
    identities = environment.api.identities if environment.api else {}
    yield f"{web.identity or next(iter(identities), 'nobody')} signs in by its pages:"
    yield from _steps(web.sign_in)
    if web.sign_out:
        yield "and signs out:"
        yield from _steps(web.sign_out)


def _steps(steps: Iterable[WebStep]) -> Iterator[str]:
    for number, step in enumerate(steps, start=1):
        yield f"  {number}. {_step(step)}"


def _step(step: WebStep) -> str:
    parts = list(step.deeds())
    parts += [f"see {element}" for element in step.see]
    parts += [f"don't see {element}" for element in step.see_not]
    parts += [f"remember {element} as {{{{{name}}}}}" for name, element in step.capture.items()]
    return f"{step.name}: {', '.join(parts)}" if step.name else ", ".join(parts)


def _page(name: str, page: WebPage, web: WebTarget) -> str:
    heading = f' is headed "{page.heading}"' if page.heading else " has a main heading"
    who = "who signed in" if web.is_signed_in(page) else "anybody"
    masked = f"{_masked(page.masks)} in its picture" if page.masks else ""
    tier = _tier(is_smoke=name in web.smoke_pages)
    return f"{name} at {page.path}{heading}, seen by {who}, {tier}{masked}"


def _tier(*, is_smoke: bool) -> str:
    return "after each deploy" if is_smoke else "in the full run"


def _masked(masks: Iterable[Element]) -> str:
    shown = " and ".join(str(element) for element in masks)
    return f", without {shown}" if shown else ""


def _speed(speed: Speed) -> Iterator[str]:
    yield (
        f"each page is loaded {speed.loads} times or more: its largest part is seen within "
        f"{format_duration(speed.largest_contentful_paint)}"
    )
    yield (
        f"its layout shifts by at most {speed.cumulative_layout_shift:g}, and a click shows within "
        f"{format_duration(speed.interaction_to_next_paint)}"
    )
    limits = [f"bring {format_size(speed.weight)}"] if speed.weight else []
    limits += [f"send {speed.requests} requests"] if speed.requests else []
    if limits:
        yield f"a first load may {' and '.join(limits)} at most"
