"""The `security` section: what it refers to must be there, and what it means is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployment_gate.environment import Environment, HoldsFrom, explain, policy_of

API = """
api:
  base_url: https://api
  login: {request: POST /login}
  identities:
    analyst: {username: test, password: "${TEST_PASSWORD:-secret-of-test}"}
    admin: {username: admin, password: "${ADMIN_PASSWORD:-secret-of-admin}", role: admin}
"""
WEB = "web: {base_url: https://web}\n"
WHOLE = (
    API
    + WEB
    + """
allow: {writes: true, burst: true}
security:
  tls: modern
  plain_http: {web: "http://web:8080"}
  public: [/metrics, /docs/*]
  allowed_origins: [https://partner]
  low_privilege: analyst
  administrative: [GET /users, "DELETE /users/{{id}}"]
  private_objects:
    - {path: /users/admin, owner: admin, others: [analyst]}
    - {path: /mine, owner: admin}
  profile: {request: PATCH /me, body: {name: x}, role: $.role}
  holds_from: high
  burst: 30
  odd_input: {requests: 7, duration: 5s, seed: 3}
  most_requests: 900
  rate: 12.5
"""
)


def test_it_is_told_in_sentences(load: Callable[..., Environment], minimal: str) -> None:
    told = explain(load(minimal + WHOLE)).split("\n\n")
    (block,) = [one for one in told if one.startswith("Security\n")]
    assert [line.strip() for line in block.splitlines()[1:]] == [
        "TLS as Mozilla's modern profile has it: TLS 1.3 alone",
        "plain http of api is at http://api",
        "plain http of web is at http://web:8080",
        "anybody may see /metrics, /docs/*",
        "pages of https://partner may ask the API, too",
        "analyst must be refused GET /users, DELETE /users/{{id}}",
        "/users/admin is admin's, and must be refused to analyst",
        "/mine is admin's, and must be refused to any other identity",
        "PATCH /me must give analyst no other role",
        "30 wrong sign-ins one after another must meet a limit",
        (
            "odd input: up to 7 requests for each described operation (GET and HEAD, and POST to "
            "lists), within 5 seconds, made up from the seed 3"
        ),
        "at most 900 requests in all, 12.5 a second, to no host but api, web",
        "a finding holds from high on; what is less only warns",
    ]


def test_what_isnt_written_is_told_as_it_is_then(
    load: Callable[..., Environment], minimal: str
) -> None:
    told = explain(load(minimal + API))
    assert "TLS as Mozilla's intermediate profile has it: TLS 1.2 and 1.3" in told
    assert "anybody may see no description, metrics or the like" in told
    assert "at most 1500 requests in all, 50 a second, to no host but api" in told
    assert "a finding holds from medium on" in told
    assert "wrong sign-ins" not in told


def test_without_leave_to_write_no_role_is_tried(
    load: Callable[..., Environment], minimal: str
) -> None:
    told = explain(load(minimal + WHOLE.replace("writes: true", "writes: false")))
    assert "PATCH /me must give analyst no other role (not tried: no leave to write)" in told
    assert "(GET and HEAD)" in told


def test_where_there_is_neither_api_nor_web_nothing_is_told(
    load: Callable[..., Environment], minimal: str
) -> None:
    assert "\nSecurity\n" not in explain(load(minimal))


@pytest.mark.parametrize("line", list(HoldsFrom))
def test_the_policy_says_from_where_on_findings_hold(
    load: Callable[..., Environment], minimal: str, line: HoldsFrom
) -> None:
    assert policy_of(load(f"{minimal}security: {{holds_from: {line}}}\n")).holds_from is line
    assert policy_of(load(minimal)).holds_from is HoldsFrom.MEDIUM


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "low_privilege: analyst",
            "low_privilege: analysts",
            'security.low_privilege: "analysts" is no identity. Did you mean analyst?',
        ),
        (
            "owner: admin, others: [analyst]",
            "owner: root, others: [analyst]",
            'security.private_objects.0.owner: "root" is no identity.',
        ),
        (
            "others: [analyst]",
            "others: [analyst, bob]",
            'security.private_objects.0.others.1: "bob" is no identity.',
        ),
        (
            "others: [analyst]",
            "others: [admin]",
            'security.private_objects.0.others: "admin" owns it. Name those that must not see it',
        ),
        (
            "path: /mine",
            'path: "/users/{{id}}"',
            "security.private_objects.1.path: has a place, and nothing to fill it with",
        ),
        (
            "DELETE /users/{{id}}",
            "DELETE /users/{{user-id}}",
            "security.administrative.1: {{user-id}} is no place for a value",
        ),
        (
            "DELETE /users/{{id}}",
            "DELETE /users/{id}",
            "security.administrative.1: has a place that isn't one. Write it with two braces",
        ),
        (
            "request: PATCH /me",
            "request: GET /me",
            "security.profile.request: GET changes nothing. Write PATCH or PUT",
        ),
        (
            "request: PATCH /me",
            'request: "PATCH /users/{{id}}"',
            "security.profile.request: has a place, and nothing to fill it with",
        ),
        (
            "body: {name: x}",
            'body: {name: "{{run}}"}',
            "security.profile.body: nothing is called {{run}} here",
        ),
        (
            "/docs/*",
            '"/docs/{{id}}"',
            "security.public.1: has a place, and nothing to fill it with",
        ),
        (
            '{web: "http://web:8080"}',
            '{www: "http://web:8080"}',
            'security.plain_http.www: "www" is neither of both. Write `api` or `web`',
        ),
        (
            '{web: "http://web:8080"}',
            '{web: "https://web:8080"}',
            "security.plain_http.web: is no plain http",
        ),
        (
            '{web: "http://web:8080"}',
            '{web: "http://elsewhere"}',
            'security.plain_http.web: "elsewhere" is no host of this environment',
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    complaint: Callable[..., str], minimal: str, old: str, new: str, said: str
) -> None:
    assert WHOLE.count(old) == 1
    assert said in complaint(minimal + WHOLE.replace(old, new))


@pytest.mark.parametrize(
    "entry",
    [
        "low_privilege: analyst",
        "administrative: [GET /users]",
        "private_objects: [{path: /mine, owner: admin}]",
        "profile: {request: PATCH /me, body: {name: x}, role: $.role}",
    ],
)
def test_what_is_of_an_api_needs_one(
    complaint: Callable[..., str], minimal: str, entry: str
) -> None:
    key = entry.partition(":")[0]
    said = complaint(f"{minimal}{WEB}security: {{{entry}}}\n")
    assert f"security.{key}: is of an API, and there is none. Write `api:`" in said


@pytest.mark.parametrize(
    "entry",
    ["administrative: [GET /users]", "profile: {request: PATCH /me, body: {a: x}, role: $.role}"],
)
def test_whoever_is_to_be_refused_must_be_known(
    complaint: Callable[..., str], minimal: str, entry: str
) -> None:
    said = complaint(f"{minimal}api: {{base_url: https://api}}\nsecurity: {{{entry}}}\n")
    assert "nobody is known who could be refused or let in. Write `identities:` in `api`" in said


def test_a_thing_that_nobody_else_could_see_is_refused(
    complaint: Callable[..., str], minimal: str
) -> None:
    alone = API.replace("    analyst: {username: test", "    # analyst: {username: test")
    said = complaint(
        f"{minimal}{alone}security: {{private_objects: [{{path: /a, owner: admin}}]}}\n"
    )
    assert "nobody is there but admin. Write somebody else under `api.identities`" in said


def test_a_platform_that_says_nothing_of_security_is_looked_at_all_the_same(
    load: Callable[..., Environment], minimal: str
) -> None:
    assert load(minimal + API).covers("security")
