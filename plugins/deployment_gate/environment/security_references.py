"""What the `security` section says of others, which must be there and fit."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from deployment_gate.environment.mentions import (
    Complaint,
    needless_place,
    unknown_identity,
    unknown_places,
)
from deployment_gate.environment.model import Environment
from deployment_gate.environment.security_sections import PrivateObject, Profile, Security
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.yaml_source import Key

_OF_THE_API = ("low_privilege", "administrative", "private_objects", "profile")


def broken_security_references(environment: Environment) -> Iterator[Complaint]:
    """Yield the path of each entry about security that doesn't fit another, and what is wrong."""
    security = environment.security
    for number, path in enumerate(security.public):
        yield from needless_place(("security", "public", str(number)), path)
    yield from _plain_http(environment, security)
    if environment.api is None:
        for key in _OF_THE_API:
            if getattr(security, key):
                yield ("security", key), "is of an API, and there is none. Write `api:`"
        return
    identities = environment.api.identities
    yield from unknown_identity(("security", "low_privilege"), security.low_privilege, identities)
    yield from _administrative(security, is_anybody_known=bool(identities))
    for number, one in enumerate(security.private_objects):
        yield from _private_object(("security", "private_objects", str(number)), one, environment)
    if security.profile:
        yield from _profile(security.profile, is_anybody_known=bool(identities))


def _plain_http(environment: Environment, security: Security) -> Iterator[Complaint]:
    known = environment.own_hosts()
    for name, url in security.plain_http.items():
        path = ("security", "plain_http", name)
        if name not in {"api", "web"}:
            yield path, f'"{name}" is neither of both. Write `api` or `web`'
        elif getattr(environment, name) is None:
            yield path, f"is of what isn't there. Write `{name}:`, or remove it"
        if not url.startswith("http://"):
            yield path, "is no plain http. Write an address that begins with http://"
        host = urlsplit(url).hostname or ""
        if host not in known:
            yield (
                path,
                f'"{host}" is no host of this environment, and no other is asked. '
                + f"There are: {', '.join(sorted(known)) or 'none'}",
            )


def _administrative(security: Security, *, is_anybody_known: bool) -> Iterator[Complaint]:
    for number, request in enumerate(security.administrative):
        path = ("security", "administrative", str(number))
        # Whatever its places are called, they are filled with what is there.
        yield from unknown_places(path, request.path, names_in(request.path))
        single = request.path.replace("{{", "").replace("}}", "")
        if "{" in single or "}" in single:
            yield path, "has a place that isn't one. Write it with two braces: {{id}}"
    if security.administrative and not is_anybody_known:
        yield ("security", "administrative"), _NOBODY


_NOBODY = "nobody is known who could be refused or let in. Write `identities:` in `api`"


def _private_object(path: Key, one: PrivateObject, environment: Environment) -> Iterator[Complaint]:
    identities = environment.api.identities if environment.api else {}
    yield from needless_place((*path, "path"), one.path)
    yield from unknown_identity((*path, "owner"), one.owner, identities)
    for number, name in enumerate(one.others):
        yield from unknown_identity((*path, "others", str(number)), name, identities)
    if one.owner in one.others:
        yield (*path, "others"), f'"{one.owner}" owns it. Name those that must not see it'
    elif not one.others and set(identities) == {one.owner}:
        yield (
            (*path, "others"),
            f"nobody is there but {one.owner}. Write somebody else under `api.identities`",
        )


def _profile(profile: Profile, *, is_anybody_known: bool) -> Iterator[Complaint]:
    path = ("security", "profile")
    yield from needless_place((*path, "request"), profile.request.path)
    # It is sent as it is: what stands there is put back.
    yield from unknown_places((*path, "body"), profile.body, ())
    if profile.request.is_reading:
        yield (*path, "request"), f"{profile.request.method} changes nothing. Write PATCH or PUT"
    if not is_anybody_known:
        yield path, _NOBODY
