"""What one entry of an environment says about another, which must be there and fit."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from deployment_gate.environment.api_sections import ApiTarget, Login
from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.journey_sections import Journey, Step
from deployment_gate.environment.json_schemas import misspelt
from deployment_gate.environment.load_references import broken_load_references
from deployment_gate.environment.mentions import (
    RUN_VALUES,
    Complaint,
    needless_place,
    unfit_captures,
    unknown_identity,
    unknown_places,
)
from deployment_gate.environment.model import Environment
from deployment_gate.environment.requests import RequestLine
from deployment_gate.environment.security_references import broken_security_references
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.variables import Substituted, is_secretive
from deployment_gate.environment.web_references import broken_web_references
from deployment_gate.environment.yaml_source import Key

_CREDENTIALS = ("username", "password", "basic")


def broken_references(environment: Environment) -> Iterator[Complaint]:
    """Yield the path of each entry that refers to what isn't there, and what is wrong."""
    if environment.api:
        yield from _api(environment, environment.api)
    yield from broken_web_references(environment)
    yield from broken_load_references(environment)
    yield from broken_security_references(environment)


def _api(environment: Environment, api: ApiTarget) -> Iterator[Complaint]:
    yield from _identities(api, may_write=environment.allow.writes)
    yield from _plain_paths(api)
    yield from _sign_in(api)
    yield from _functions(api)
    for name, journey in api.journeys.items():
        path = ("api", "journeys", name)
        yield from _journey(path, journey, environment.check_timeout)
        if api.openapi is None:
            yield from _described(path, journey)


def _functions(api: ApiTarget) -> Iterator[Complaint]:
    for name, collection in api.collections.items():
        path = ("api", "collections", name)
        if collection.item:
            yield from unknown_places((*path, "item"), collection.item, ("id",))
        yield from unknown_places((*path, "draft"), collection.draft, RUN_VALUES)
        yield from unknown_places((*path, "change"), collection.change, RUN_VALUES)
    if api.search and api.search.finds_not in api.search.finds:
        yield ("api", "search", "finds_not"), "is found, too. Write a term that there is nothing of"
    if api.errors and api.errors.json_schema:
        yield from misspelt(api.errors.json_schema, ("api", "errors", "json_schema"))
    for name, fact in api.facts.items():
        path = ("api", "facts", name)
        yield from unknown_places((*path, "equals"), fact.equals, RUN_VALUES[1:])
        if fact.equals is None and len(set(fact.told_by)) == 1:
            yield path, "is told once, and so always alike. Write who else tells it, or `equals:`"


def _described(path: Key, journey: Journey) -> Iterator[Complaint]:
    for where, step in _steps(path, journey):
        if isinstance(step.expect.json_schema, str):
            place = (*where, "expect", "json_schema")
            yield place, "is a place in a description that isn't named. Write `openapi:`"


def _plain_paths(api: ApiTarget) -> Iterator[Complaint]:
    """Paths that nothing is filled into."""
    paths: dict[Key, str] = {}
    requests: dict[Key, RequestLine | None] = {
        ("login", "request"): api.login.request if api.login else None,
        ("logout",): api.logout,
        ("refresh", "request"): api.refresh.request if api.refresh else None,
    }
    for key, request in requests.items():
        if request:
            paths["api", *key] = request.path
    for name in ("whoami", "search", "openapi"):
        if section := getattr(api, name):
            paths["api", name, "path"] = section.path
    for name, collection in api.collections.items():
        paths["api", "collections", name, "path"] = collection.path
    for where, path in paths.items():
        yield from needless_place(where, path)


def _sign_in(api: ApiTarget) -> Iterator[Complaint]:
    if api.login:
        yield from _login(api.login)
    if api.refresh:
        path = ("api", "refresh")
        yield from unknown_places((*path, "body"), api.refresh.body, ("refresh_token",))
        yield from unknown_places((*path, "form"), api.refresh.form, ("refresh_token",))
        if api.login is None or api.login.refresh_token is None:
            yield path, "has no token to ask with. Write where `login.refresh_token` is"


def _identities(api: ApiTarget, *, may_write: bool) -> Iterator[Complaint]:
    """Names of identities; those that only write matter where that is allowed."""
    if api.identities and api.login is None:
        yield ("api", "identities"), "nothing says how they sign in. Write `login:` beside it"
    if api.login and not api.identities:
        yield ("api", "login"), "nobody is there to sign in. Write `identities:` beside it"
    for name, collection in api.collections.items():
        path: Key = ("api", "collections", name)
        yield from unknown_identity((*path, "reader"), collection.reader, api.identities)
        if may_write:
            yield from unknown_identity((*path, "writer"), collection.writer, api.identities)
            if collection.draft is not None and collection.item is None:
                yield (*path, "draft"), "what is made can't be removed. Write `item:` beside it"
    if api.search:
        yield from unknown_identity(("api", "search", "reader"), api.search.reader, api.identities)
    for name, journey in api.journeys.items():
        if journey.writes and not may_write:
            continue
        for where, step in _steps(("api", "journeys", name), journey):
            yield from unknown_identity((*where, "identity"), step.identity, api.identities)


def _login(login: Login) -> Iterator[Complaint]:
    path = ("api", "login")
    for key in ("body", "form", "headers"):
        yield from unknown_places((*path, key), getattr(login, key), _CREDENTIALS)
    yield from unknown_places((*path, "send"), login.send, (*_CREDENTIALS, "token"))
    if not any(names_in(login.send)):
        yield (*path, "send"), "says nothing of who signed in. Write {{token}} or {{basic}} in it"
    if login.body is not None and login.form is not None:
        yield (*path, "form"), "stands beside `body`, and one of them is sent. Remove the other"
    if login.short_lived is not None and login.lifetime is None:
        yield (*path, "short_lived"), "needs to know how long that is. Write `lifetime:` beside it"
    for key, value in login.body.items() if isinstance(login.body, Mapping) else ():
        is_written = isinstance(value, str) and not isinstance(value, Substituted)
        if is_written and value and is_secretive(str(key)) and not any(names_in(value)):
            yield (*path, "body", str(key)), "secrets come from the process environment: ${NAME}"


def _journey(path: Key, journey: Journey, limit: timedelta) -> Iterator[Complaint]:
    known = list(RUN_VALUES)
    for where, step in _steps(path, journey):
        for key in ("request", "query", "headers", "body", "form", "expect"):
            yield from unknown_places((*where, key), _templates(step, key), known)
        yield from unfit_captures((*where, "capture"), step.capture)
        known += step.capture
        yield from _step(where, step, journey, limit)
    if journey.writes and journey.cleanup is None:
        yield (
            path,
            "writes, and doesn't say how it cleans up. Write `cleanup:` steps, or `cleanup: []`",
        )


def _step(where: Key, step: Step, journey: Journey, limit: timedelta) -> Iterator[Complaint]:
    if not (step.request.is_reading or journey.writes):
        yield (
            (*where, "request"),
            f"{step.request.method} may change something. Write `writes: true` in the journey, "
            + "and `cleanup:` for what it makes",
        )
    if step.retry and step.request.method == "POST":
        yield (*where, "retry"), "may make several things. Try a step again that only reads"
    if step.retry and step.retry.timeout >= limit:
        yield (
            (*where, "retry", "timeout"),
            f"is no shorter than a check may take ({format_duration(limit)}). Write a shorter "
            + "one, or a longer `check_timeout`",
        )
    if step.body is not None and step.form is not None:
        yield (*where, "form"), "stands beside `body`, and one of them is sent. Remove the other"
    for name, value in step.query.items():
        if isinstance(value, Mapping):
            yield (*where, "query", name), "is a map. Write a text, a number or a list of them"
    if isinstance(step.expect.json_schema, Mapping):
        yield from misspelt(step.expect.json_schema, (*where, "expect", "json_schema"))


def _steps(path: Key, journey: Journey) -> Iterator[tuple[Key, Step]]:
    for part in ("steps", "cleanup"):
        for number, step in enumerate(getattr(journey, part) or ()):
            yield (*path, part, str(number)), step


def _templates(step: Step, key: str) -> object:
    """What stands under a key of a step, as data that may have places."""
    if key == "request":
        return step.request.path
    if key == "expect":
        return step.expect.templates()
    return getattr(step, key)
