"""What the `web` section and triggers on page loads say of others, which must be there and fit."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from deployment_gate.environment.api_sections import Identity
from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.mentions import (
    RUN_VALUES,
    Complaint,
    needless_place,
    unfit_captures,
    unknown_identity,
    unknown_places,
)
from deployment_gate.environment.model import Environment
from deployment_gate.environment.policy_sections import Trigger
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.variables import is_secretive
from deployment_gate.environment.web_sections import WebJourney, WebStep, WebTarget
from deployment_gate.environment.yaml_source import Key

_USERNAME, _PASSWORD = "username", "password"


def broken_web_references(environment: Environment) -> Iterator[Complaint]:
    """Yield the path of each entry about pages that refers to what isn't there, and what is wrong.

    Triggers on page loads are among them.
    """
    web = environment.web
    if web:
        yield from _pages(web)
        yield from _sign_in(web)
        yield from _sign_out(web)
        yield from _identities(
            web,
            environment.api.identities if environment.api else {},
            may_write=environment.allow.writes,
        )
        for name, journey in web.journeys.items():
            yield from _journey(("web", "journeys", name), journey, web)
    for name, trigger in environment.rollback_triggers.items():
        if trigger.condition.indicator.is_of_pages:
            yield from _trigger(("rollback_triggers", name), trigger, web)


def _pages(web: WebTarget) -> Iterator[Complaint]:
    first: dict[str, str] = {}
    for name, page in web.pages.items():
        path = ("web", "pages", name, "path")
        yield from needless_place(path, page.path)
        known = first.setdefault(page.path, name)
        if known != name:
            yield path, f"is that of `{known}`, too. Name each page once"
    if web.discover:
        yield from needless_place(("web", "discover", "start"), web.discover.start)


def _sign_in(web: WebTarget) -> Iterator[Complaint]:
    path: Key = ("web", "sign_in")
    known = [_USERNAME, _PASSWORD, *RUN_VALUES]
    yield from _steps(path, web.sign_in, known)
    for number, step in enumerate(web.sign_in):
        where = (*path, str(number))
        for label, value in step.fill.items():
            if is_secretive(label) and not any(names_in(value)):
                yield (
                    (*where, "fill", label),
                    "secrets come from the identity that signs in. Write {{password}}",
                )
        for key, texts in step.templates().items():
            if key != "fill" and _PASSWORD in names_in(texts):
                yield (*where, key), "would show the password. Write {{password}} in `fill` alone"


def _sign_out(web: WebTarget) -> Iterator[Complaint]:
    path: Key = ("web", "sign_out")
    yield from _steps(path, web.sign_out, [])
    if web.sign_out and not web.sign_in:
        yield path, "nobody has signed in. Write `sign_in:` beside it"
    elif web.sign_out and all(page.public for page in web.shown.values()):
        yield path, "shuts nobody out: all pages are public. Name one that isn't, or remove it"


def _identities(
    web: WebTarget, identities: Mapping[str, Identity], *, may_write: bool
) -> Iterator[Complaint]:
    """Who signs in; those that only write matter where that is allowed."""
    looks: Key = ("web", "identity")
    named = {looks: web.identity} if web.identity else {}
    for name, journey in web.journeys.items():
        if journey.identity and (may_write or not journey.writes):
            named["web", "journeys", name, "identity"] = journey.identity
    for path, name in named.items():
        yield from unknown_identity(path, name, identities)
        if not web.sign_in:
            yield path, "nothing says how one signs in by the pages. Write `sign_in:` in `web`"
    if web.sign_in and not identities:
        yield ("web", "sign_in"), "nobody is there to sign in. Write `identities:` in `api`"
    elif web.sign_in and not web.identity:
        named["web", "sign_in"] = next(iter(identities))
    used = {name for step in web.sign_in for name in step.places()}
    for path, name in named.items():
        lacks = [key for key in _lacks(identities.get(name)) if key in used]
        if lacks:
            yield (
                path,
                f'"{name}" has no {" and no ".join(lacks)} to sign in with. Write '
                + f"`{'` and `'.join(lacks)}` there, or name another `identity`",
            )


def _lacks(identity: Identity | None) -> Iterator[str]:
    if identity and identity.username is None:
        yield _USERNAME
    if identity and identity.password is None:
        yield _PASSWORD


def _journey(path: Key, journey: WebJourney, web: WebTarget) -> Iterator[Complaint]:
    known = list(RUN_VALUES)
    yield from _steps((*path, "steps"), journey.steps, known)
    yield from _steps((*path, "cleanup"), journey.cleanup, known)
    if journey.device not in web.devices:
        near = did_you_mean(journey.device, web.devices)
        yield (
            (*path, "device"),
            f'"{journey.device}" is no device.{near} There are: {", ".join(web.devices)}',
        )
    if journey.cleanup and not journey.writes:
        yield (
            (*path, "cleanup"),
            "has nothing to clean up: the journey only reads. Write `writes: true` in it, or "
            + "remove `cleanup`",
        )
    if journey.writes and "cleanup" not in journey.model_fields_set:
        yield (
            path,
            "writes, and doesn't say how it cleans up. Write `cleanup:` steps, or `cleanup: []`",
        )


def _steps(path: Key, steps: Iterable[WebStep], known: list[str]) -> Iterator[Complaint]:
    """What is wrong with steps; what they capture is known from then on."""
    taken = tuple(name for name in known if name in {_USERNAME, _PASSWORD, *RUN_VALUES})
    for number, step in enumerate(steps):
        where = (*path, str(number))
        for key, texts in step.templates().items():
            if _PASSWORD in names_in(texts) and _PASSWORD not in known:
                yield (*where, key), "only `sign_in` knows {{password}}. Sign in by `identity`"
                continue
            yield from unknown_places((*where, key), texts, known)
        for key in ("fill", "select"):
            for label in getattr(step, key):
                yield from needless_place((*where, key, label), label)
        yield from needless_place((*where, "press"), step.press or "")
        yield from unfit_captures((*where, "capture"), step.capture, taken)
        known += step.capture


def _trigger(path: Key, trigger: Trigger, web: WebTarget | None) -> Iterator[Complaint]:
    if web is None:
        yield (
            (*path, "condition"),
            "there is no `web` section whose pages could be loaded. Write one, or remove the "
            + "trigger",
        )
        return
    for number, pattern in enumerate(trigger.endpoints):
        where = (*path, "endpoints", str(number))
        paths = [page.path for page in web.shown.values()]
        if pattern in web.shown:
            yield where, f"is the name of a page. Write its path: {web.shown[pattern].path}"
        elif pattern[:1] not in {"/", "*", "?", "["}:
            yield where, "fits no page. Write paths of pages, as in /search*"
        elif web.finds is None and not any(fnmatchcase(one, pattern) for one in paths):
            yield where, f"fits no page. There are: {', '.join(paths)}"
