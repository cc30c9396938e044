"""The `api` section: what may stand in it, and what of it must fit together."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent

import pytest

from deployment_gate.environment import ApiTarget, Environment

LOGIN = """
login: {request: POST /login}
identities:
  reader: {username: test, password: "${PASSWORD}"}
  writer: {username: admin, password: "${PASSWORD}"}
"""


def environment_of(section: str, more: str = "") -> str:
    """The text of an environment with such an `api` section."""
    api = indent(dedent(section).strip(), "  ")
    return f"api:\n  base_url: http://shop\n{api}\n{dedent(more)}"


@pytest.fixture
def api(load: Callable[..., Environment]) -> Callable[..., ApiTarget]:
    """Load an `api` section."""

    def api(section: str, more: str = "") -> ApiTarget:
        target = load(environment_of(section, more), PASSWORD="a-password").api
        assert target
        return target

    return api


@pytest.fixture
def wrong(complaint: Callable[..., str]) -> Callable[..., str]:
    """Answer what is wrong with an `api` section."""
    return lambda section, more="": complaint(environment_of(section, more), PASSWORD="a-password")


def test_the_first_identity_reads_where_nobody_is_named(api: Callable[..., ApiTarget]) -> None:
    target = api(
        LOGIN + "collections:\n  a: {path: /a}\n  b: {path: /b, reader: writer}\n"
        "  c: {path: /c, public: true}\n"
    )
    readers = {name: target.reader_of(one) for name, one in target.collections.items()}
    assert readers == {"a": "reader", "b": "writer", "c": None}


@pytest.mark.parametrize(
    ("section", "path"),
    [
        (LOGIN + "whoami: {path: /me}\ncollections: {a: {path: /a}}\n", "/me"),
        (LOGIN + "collections: {a: {path: /a, public: true}, b: {path: /b}}\n", "/b"),
        (LOGIN + "collections: {a: {path: /a, public: true}}\n", None),
        ("collections: {a: {path: /a}}\n", None),
    ],
)
def test_what_is_private_is_known_from_the_section(
    api: Callable[..., ApiTarget], section: str, path: str | None
) -> None:
    assert api(section).private_path == path


def test_everything_that_is_named_is_promised(api: Callable[..., ApiTarget]) -> None:
    target = api(
        LOGIN + "logout: POST /logout\nwhoami: {path: /me}\nsearch: {path: /search, finds: a}\n"
        'collections: {a: {path: /a, item: "/a/{{id}}", draft: {}}}\nroutes: [GET /a, GET /more]\n'
    )
    assert [str(request) for request in target.promised()] == [
        "GET /a",
        "GET /more",
        "POST /login",
        "POST /logout",
        "GET /me",
        "GET /search",
        "GET /a/{{id}}",
        "POST /a",
    ]


def test_a_fact_is_a_list_of_tellers_or_a_map(api: Callable[..., ApiTarget]) -> None:
    facts = api(
        "facts:\n  release: [/version $.release, /health $.release]\n"
        '  place: {told_by: /version $.environment, equals: "{{environment}}"}\n'
    ).facts
    assert [str(teller) for teller in facts["release"].told_by] == [
        "/version $.release",
        "/health $.release",
    ]
    assert facts["place"].equals == "{{environment}}"


def test_a_key_needs_no_password(api: Callable[..., ApiTarget]) -> None:
    target = api(
        'login: {send: {X-Api-Key: "{{token}}"}}\nidentities: {robot: {token: "${PASSWORD}"}}\n'
    )
    token = target.identities["robot"].token
    assert token
    assert token.get_secret_value() == "a-password"


def test_a_sign_in_is_known_by_method_and_address(load: Callable[..., Environment]) -> None:
    environment = load(environment_of(LOGIN), PASSWORD="a-password")
    assert environment.sign_ins() == {("POST", "http://shop/login")}
    without = environment_of('login: {send: {X: "{{token}}"}}\nidentities: {a: {token: "${T}"}}\n')
    assert load(without, T="a-token").sign_ins() == frozenset()


def test_paths_beside_the_api_are_those_at_its_address(load: Callable[..., Environment]) -> None:
    environment = load(
        environment_of("", "health_endpoints:\n  a: {url: http://shop/health}\n")
        + "  b: {url: http://other/health}\n  c: {url: http://shopping/health}\n"
    )
    assert environment.paths_beside_the_api() == ("/health",)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("identities: {a: {token: '${PASSWORD}'}}", "nothing says how they sign in"),
        ("login: {request: POST /login}", "nobody is there to sign in"),
        (LOGIN + "search: {path: /s, finds: a, reader: reeder}", "Did you mean reader?"),
        (LOGIN + "collections: {a: {path: /a, reader: x}}", "There are: reader, writer"),
        ("identities: {a: {username: b}}\nlogin: {}", "has nothing to sign in with"),
        ("collections: {a: {path: /a, item: /a/id}}", "Write /a/{{id}}"),
        ("collections: {a: {path: /a, item: '/a/{{id}}/{{part}}'}}", "nothing is called {{part}}"),
        ("collections: {a: {path: /a, draft: {x: '{{rum}}'}}}", "Did you mean run?"),
        ("paging: {page: page, offset: offset}", "pages by page and by offset"),
        ("paging: {cursor: after}", "nowhere to take it from. Write `next:`"),
        ("search: {path: /s}", "search.finds: isn't there"),
        ("search: {path: /s, finds: []}", "must not be empty"),
        ("routes: [GET]", 'api.routes.0: "GET" is no request'),
        ("facts: {a: [/version]}", "api.facts.a.told_by.0"),
        ("openapi: {path: /o, skip: [GTE /a]}", "is no request"),
        ("whoami: {path: /me, username: name}", "is no JSONPath"),
        ("login: {token: access_token}\nidentities: {}", "is no place in an answer"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(
    wrong: Callable[..., str], section: str, told: str
) -> None:
    complaints = wrong(section)
    assert complaints.startswith("here.yaml:")
    assert told in complaints


def test_a_template_of_the_login_knows_only_credentials(wrong: Callable[..., str]) -> None:
    told = wrong(LOGIN.replace("POST /login}", 'POST /login, body: {u: "{{user}}"}}'))
    assert "api.login.body: nothing is called {{user}} here" in told
    assert "There are: username, password, basic" in told


def test_who_writes_is_only_asked_where_writing_is_allowed(
    wrong: Callable[..., str], api: Callable[..., ApiTarget]
) -> None:
    section = LOGIN + "collections: {a: {path: /a, writer: nobody}}\n"
    assert api(section).collections["a"].writer == "nobody"
    assert '"nobody" is no identity' in wrong(section, "allow: {writes: true}\n")


def test_what_is_made_must_have_an_address_to_be_removed_at(wrong: Callable[..., str]) -> None:
    told = wrong("collections: {a: {path: /a, draft: {}}}", "allow: {writes: true}\n")
    assert "what is made can't be removed. Write `item:` beside it" in told


def test_a_misspelt_key_within_is_told_with_the_near_match(wrong: Callable[..., str]) -> None:
    told = wrong("collections: {a: {pth: /a}}")
    assert "api.collections.a.pth: isn't a key that is known here. Did you mean path?" in told


SIGN_IN = "login: {request: POST /login, LOGIN}\nidentities: {a: {token: '${PASSWORD}'}}\n"


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("whoami: {path: '/{{me}}'}", "api.whoami.path: has a place, and nothing to fill it with"),
        (SIGN_IN.replace("LOGIN", "send: {X: y}"), "says nothing of who signed in"),
        (
            SIGN_IN.replace("LOGIN", "body: {}, form: {a: b}"),
            "api.login.form: stands beside `body`",
        ),
        (
            SIGN_IN.replace("LOGIN", "short_lived: {expires_in: 1}"),
            "Write `lifetime:` beside it",
        ),
        (
            SIGN_IN.replace("LOGIN", "body: {user: a, password: hunter22}"),
            "api.login.body.password: secrets come from the process environment",
        ),
        (
            SIGN_IN.replace("LOGIN", "") + "refresh: {request: POST /refresh}",
            "Write where `login.refresh_token` is",
        ),
        ("search: {path: /s, finds: [a, b], finds_not: b}", "is found, too"),
        ("facts: {a: [/v $.a]}", "is told once, and so always alike"),
        ("facts: {a: {told_by: /v $.a, equals: '{{run}}'}}", "nothing is called {{run}} here"),
        ("facts: {a: [//evil/v $.a, /w $.a]}", "doesn't say who tells it"),
        (
            "errors: {json_schema: {typ: object, required: [a]}}",
            "api.errors.json_schema.typ: is no keyword of JSON Schema. Did you mean type?",
        ),
        (
            "errors: {json_schema: {properties: {a: {type: text}}}}",
            'api.errors.json_schema.properties.a.type: "text" is no type',
        ),
    ],
)
def test_what_would_load_and_mislead_is_refused(
    wrong: Callable[..., str], section: str, told: str
) -> None:
    assert told in wrong(section.replace(", }", "}"))


def test_every_variable_in_what_signs_in_is_a_secret(load: Callable[..., Environment]) -> None:
    text = environment_of(
        "login: {request: POST /login, headers: {X-Client: '${SHOP_CLIENT}'}}\n"
        "identities: {a: {token: '${SHOP_PASS}'}}\n"
        "search: {path: /s, finds: '${SHOP_TERM}'}\n"
    )
    environment = load(text, SHOP_CLIENT="client-of-shop", SHOP_PASS="pass-of-shop", SHOP_TERM="a")
    assert environment.secrets == {"client-of-shop", "pass-of-shop"}
