"""What one entry of an environment says about another, which must be there and fit."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from deployment_gate.environment.api_sections import ApiTarget, Login
from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.journey_sections import Journey, Step
from deployment_gate.environment.model import Environment
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.yaml_source import Key

RUN_VALUES = ("run", "environment", "release")
"""What every template may use: an id of the run, and what is validated."""

_CREDENTIALS = ("username", "password", "basic")

Complaint = tuple[Key, str]


def broken_references(environment: Environment) -> Iterator[Complaint]:
    """Yield the path of each entry that refers to what isn't there, and what is wrong."""
    api = environment.api
    if api is None:
        return
    may_write = environment.allow.writes
    yield from _identities(api, may_write=may_write)
    if api.login:
        yield from _login(api.login)
    if api.refresh:
        known = ("refresh_token",)
        yield from _places(("api", "refresh", "body"), api.refresh.body, known)
    for name, collection in api.collections.items():
        path = ("api", "collections", name)
        if collection.item:
            yield from _places((*path, "item"), collection.item, ("id",))
        yield from _places((*path, "draft"), collection.draft, RUN_VALUES)
        yield from _places((*path, "change"), collection.change, RUN_VALUES)
    for name, fact in api.facts.items():
        yield from _places(("api", "facts", name, "equals"), fact.equals, RUN_VALUES)
    for name, journey in api.journeys.items():
        yield from _journey(("api", "journeys", name), journey, environment.check_timeout)


def _identities(api: ApiTarget, *, may_write: bool) -> Iterator[Complaint]:
    """Names of identities; those that only write matter where that is allowed."""
    if api.identities and api.login is None:
        yield ("api", "identities"), "nothing says how they sign in. Write `login:` beside it"
    if api.login and not api.identities:
        yield ("api", "login"), "nobody is there to sign in. Write `identities:` beside it"
    for name, collection in api.collections.items():
        path: Key = ("api", "collections", name)
        yield from _known((*path, "reader"), collection.reader, api.identities)
        if may_write:
            yield from _known((*path, "writer"), collection.writer, api.identities)
            if collection.draft is not None and collection.item is None:
                yield (*path, "draft"), "what is made can't be removed. Write `item:` beside it"
    if api.search:
        yield from _known(("api", "search", "reader"), api.search.reader, api.identities)
    for name, journey in api.journeys.items():
        if journey.writes and not may_write:
            continue
        for where, step in _steps(("api", "journeys", name), journey):
            yield from _known((*where, "identity"), step.identity, api.identities)


def _known(path: Key, name: str | None, identities: Mapping[str, object]) -> Iterator[Complaint]:
    if name is not None and name not in identities:
        near = did_you_mean(name, identities)
        yield path, f'"{name}" is no identity.{near} There are: {", ".join(identities) or "none"}'


def _login(login: Login) -> Iterator[Complaint]:
    path = ("api", "login")
    for key in ("body", "form", "headers"):
        yield from _places((*path, key), getattr(login, key), _CREDENTIALS)
    yield from _places((*path, "send"), login.send, (*_CREDENTIALS, "token"))


def _journey(path: Key, journey: Journey, limit: timedelta) -> Iterator[Complaint]:
    known = list(RUN_VALUES)
    for where, step in _steps(path, journey):
        for key in ("request", "query", "headers", "body", "form", "expect"):
            yield from _places((*where, key), _templates(step, key), known)
        known += step.capture
        if not (step.request.is_reading or journey.writes):
            yield (
                (*where, "request"),
                f"{step.request.method} may change something. Write `writes: true` in the journey, "
                + "and `cleanup:` for what it makes",
            )
        if step.retry and step.retry.timeout >= limit:
            yield (
                (*where, "retry", "timeout"),
                f"is no shorter than a check may take ({format_duration(limit)}). Write a shorter "
                + "one, or a longer `check_timeout`",
            )
    if journey.writes and journey.cleanup is None:
        yield (
            path,
            "writes, and doesn't say how it cleans up. Write `cleanup:` steps, or `cleanup: []`",
        )


def _steps(path: Key, journey: Journey) -> Iterator[tuple[Key, Step]]:
    for part in ("steps", "cleanup"):
        for number, step in enumerate(getattr(journey, part) or ()):
            yield (*path, part, str(number)), step


def _templates(step: Step, key: str) -> object:
    """What stands under a key of a step, as data that may have places."""
    if key == "request":
        return step.request.path
    if key == "expect":
        matchers = [*step.expect.headers.values(), *step.expect.jsonpath.values()]
        matchers += [step.expect.text] if step.expect.text else []
        return [matcher.written() for matcher in matchers]
    return getattr(step, key)


def _places(path: Key, template: object, known: Iterable[str]) -> Iterator[Complaint]:
    names = list(known)
    for name in dict.fromkeys(names_in(template)):
        if name not in names:
            near = did_you_mean(name, names)
            yield (
                path,
                f"nothing is called {{{{{name}}}}} here.{near} There are: {', '.join(names)}",
            )
