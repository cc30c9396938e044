"""How one signs in at an API, by what its description and its refusals say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deployment_gate.discovery.platform import LoginFound
from deployment_gate.openapi import Document, Operation
from deployment_gate.openapi.schemas import Schema
from deployment_gate.openapi.tree import entries, resolved, step_to

_IS_LOGIN = re.compile(r"log-?in|sign-?in|token|session|auth", re.IGNORECASE)
_IS_NO_LOGIN = re.compile(
    r"register|registration|sign-?up|reset|forgot|change|refresh|log-?out|sign-?out|revoke|verify|/users?$|account",
    re.IGNORECASE,
)
_IS_WHOAMI = re.compile(
    r"/(me|whoami|userinfo|user-info|current[-_]?user|profile)/?$", re.IGNORECASE
)
_USERNAMES = ("username", "email", "login", "user", "user_name", "userName", "identifier", "name")
_PASSWORDS = ("password", "passwd", "pass")
_TOKENS = ("access_token", "accessToken", "token", "jwt", "id_token", "auth_token", "key")
_REFRESH = ("refresh_token", "refreshToken")
_LIFETIMES = ("expires_in", "expiresIn")
_NAMES = ("username", "email", "login", "name", "sub")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_JSON = re.compile(r"application/(.+\+)?json|\*/\*")


def find_login(document: Document, prefix: str) -> LoginFound | None:
    """Answer how one signs in by the description: by a request, with a key, or with each request.

    Args:
        document: The API's description.
        prefix: What its paths begin with.
    """
    ranked = sorted(_logins(document, prefix), key=lambda one: one[0])
    return ranked[0][1] if ranked else _by_scheme(document)


def login_by_challenge(challenge: str) -> LoginFound | None:
    """Answer how one signs in where a refusal asks for name and password (RFC 7617)."""
    if not re.search(r"(^|,)\s*basic\b", challenge, re.IGNORECASE):
        return None
    return LoginFound(
        send={"Authorization": "Basic {{basic}}"},
        said_by="its refusals ask for name and password (WWW-Authenticate: Basic)",
    )


def find_whoami(document: Document, prefix: str) -> tuple[str, str | None] | None:
    """Answer where the API says who signed in, and where that answer has the name."""
    for operation in document.operations:
        is_askable = operation.method == "GET" and not any(
            one.is_required for one in operation.parameters
        )
        if is_askable and _IS_WHOAMI.search(operation.path):
            told = properties_of(document, answer_schema(operation))
            name = next((key for key in _NAMES if key in told), None)
            return prefix + operation.path, f"${step_to(name)}" if name else None
    return None


def answer_schema(operation: Operation) -> Schema | None:
    """Answer the schema of what an operation answers in JSON when all is well."""
    for status in ("200", "201", "2XX", "default"):
        answer = operation.answers.get(status)
        for kind, schema in answer.content.items() if answer else ():
            if _JSON.fullmatch(kind):
                return schema
    return None


def properties_of(document: Document, schema: Schema | None) -> Mapping[str, Any]:
    """Answer the properties of an object, those of all that it is made of included."""
    if schema is None:
        return {}
    found: dict[str, Any] = {}
    for branch in document.branches(schema):
        for part in branch:
            for name, value in entries(part.get("properties")).items():
                found.setdefault(name, value)
    return found


def _logins(document: Document, prefix: str) -> Iterator[tuple[int, LoginFound]]:
    for operation in document.operations:
        if operation.method != "POST" or operation.body is None or "{" in operation.path:
            continue
        if _IS_NO_LOGIN.search(operation.path) or not _IS_LOGIN.search(operation.path):
            continue
        for kind, schema in operation.body.content.items():
            is_form = kind in _FORMS
            if not is_form and not _JSON.fullmatch(kind):
                continue
            fields = _fields(document, schema)
            if fields:
                path = prefix + operation.path
                rank = 0 if re.search(r"log-?in|sign-?in", path, re.IGNORECASE) else 1
                yield rank, _login(document, operation, path, fields, is_form=is_form)


def _fields(document: Document, schema: Schema) -> dict[str, str]:
    """What is sent; empty where it isn't name and password, or more that nobody knows."""
    known = properties_of(document, schema)
    username = next((key for key in _USERNAMES if key in known), None)
    password = next((key for key in _PASSWORDS if key in known), None)
    if username is None or password is None:
        return {}
    fields = {username: "{{username}}", password: "{{password}}"}
    if "grant_type" in known:  # RFC 6749, 4.3.2
        fields = {"grant_type": "password", **fields}
    return fields


def _login(
    document: Document, operation: Operation, path: str, fields: Mapping[str, str], *, is_form: bool
) -> LoginFound:
    told = properties_of(document, answer_schema(operation))
    places = {name: f"${step_to(name)}" for name in told}
    for outer, schema in told.items():
        # As in an envelope called `data`.
        inner = properties_of(document, schema)
        places |= {name: f"${step_to(outer)}{step_to(name)}" for name in inner if name not in told}
    token = next((places[name] for name in _TOKENS if name in places), None)
    return LoginFound(
        request=f"POST {path}",
        fields=fields,
        is_form=is_form,
        token=token or "$.access_token",
        is_token_described=token is not None,
        refresh_token=next((places[name] for name in _REFRESH if name in places), None),
        lifetime=next((places[name] for name in _LIFETIMES if name in places), None),
        said_by=f"its description names POST {path}",
    )


def _by_scheme(document: Document) -> LoginFound | None:
    """What goes with each request, by OpenAPI's security schemes."""
    schemes = entries(entries(document.root.get("components")).get("securitySchemes"))
    for raw in schemes.values():
        scheme = resolved(document.root, raw)[1]
        kind = str(scheme.get("type"))
        if kind == "basic" or (kind == "http" and str(scheme.get("scheme")).lower() == "basic"):
            return LoginFound(
                send={"Authorization": "Basic {{basic}}"},
                said_by="its description names HTTP's Basic authentication",
            )
        name = str(scheme.get("name"))
        if kind == "apiKey" and scheme.get("in") == "header" and re.fullmatch(r"[\w-]+", name):
            return LoginFound(
                send={name: "{{token}}"},
                takes_key=True,
                said_by=f"its description names a key in the header {name}",
            )
    return None
