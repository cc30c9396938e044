"""The file says what was found, can be loaded, and keeps what a target sent from doing harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from deployment_gate.discovery import file_of
from deployment_gate.discovery.platform import (
    ApiFound,
    FormFound,
    HealthFound,
    ListFound,
    LoginFound,
    PageFound,
    Platform,
    ReleaseFound,
    SearchFound,
    WebFound,
)
from deployment_gate.environment import Environment

ROOT = Path(__file__).parents[2]
ADDRESS = "https://shop.example"
SIGNED_IN = {"SHOP_USERNAME": "ada", "SHOP_PASSWORD": "a-password-of-ada"}
Load = Callable[..., Environment]

ORDERS = ListFound(
    name="orders", path="/orders", items="$.items", is_public=False, item="/orders/{{id}}"
)
NEWS = ListFound(name="news", path="/news", items="$", is_public=True, count=3)
LOGIN = LoginFound(
    request="POST /login",
    fields={"user": "{{username}}", "password": "{{password}}"},
    token="$.token",
    said_by="its description names POST /login",
)
API = ApiFound(
    base_url=ADDRESS,
    described_at="/openapi.json",
    title="Shop",
    operations=5,
    login=LOGIN,
    whoami=("/me", "$.name"),
    lists=(ORDERS, NEWS),
    paging={"items": "$.items", "page": "page", "size": "size"},
    search=SearchFound(path="/search", parameter="q", items="$.items", finds="umbrella"),
    answered=("/news", "/health"),
    refused={"/orders": 401},
)
WEB = WebFound(
    base_url=ADDRESS,
    pages=(
        PageFound(name="start", path="/", heading="Welcome", is_public=True),
        PageFound(name="orders", path="/orders", heading=None, is_public=False),
    ),
    form=FormFound(path="/login", username="User", password="Password", button="Sign in"),
)
PLATFORM = Platform(
    address=ADDRESS,
    health=(HealthFound(name="health", url=f"{ADDRESS}/health", said="answered 200"),),
    releases=(ReleaseFound(name="api", url=f"{ADDRESS}/version", release="1", field="release"),),
    api=API,
    web=WEB,
)


def text_of(platform: Platform, folder: Path, **variables: str) -> str:
    """The file's text."""
    return file_of(platform, "shop", folder, variables=variables, today=date(2026, 11, 27))


def test_without_a_password_only_what_strangers_see_is_awake(load: Load) -> None:
    environment = load(PLATFORM)

    assert environment.api
    assert environment.api.login is None
    assert list(environment.api.collections) == ["news"]
    assert list(environment.api.journeys) == ["what_anybody_sees"]
    assert environment.web
    assert list(environment.web.pages) == ["start"]
    assert environment.web.sign_in == ()


@pytest.mark.parametrize("awake", [False, True], ids=["written so", "uncommented"])
def test_with_a_password_all_of_it_is_awake(load: Load, *, awake: bool) -> None:
    environment = load(PLATFORM, awake=awake, **SIGNED_IN)

    assert environment.api
    assert environment.api.login
    assert str(environment.api.login.request) == "POST /login"
    assert list(environment.api.collections) == ["orders", "news"]
    assert environment.api.private_path == "/me"
    assert environment.web
    assert [step.sentence() for step in environment.web.sign_in] == [
        "open /login", "fill in User, Password", 'click button "Sign in"'
    ]  # fmt: skip
    assert environment.web.pages["orders"].public is False


def test_no_password_stands_in_the_file(tmp_path: Path) -> None:
    text = text_of(PLATFORM, tmp_path, **SIGNED_IN)

    assert '"${SHOP_PASSWORD}"' in text
    assert "a-password-of-ada" not in text


def test_nothing_but_reading_is_allowed(load: Load) -> None:
    allow = load(PLATFORM).allow

    assert (allow.writes, allow.load, allow.burst) == (False, False, False)


def test_targets_and_triggers_are_the_runbooks(tmp_path: Path) -> None:
    written = yaml.safe_load(text_of(PLATFORM, tmp_path))
    runbook = yaml.safe_load((ROOT / "environments" / "base.yaml").read_text())

    for section in ("performance_targets", "rollback_triggers"):
        assert written[section] == runbook[section]


def test_editors_are_led_to_the_schema_where_it_is_beside_the_file(tmp_path: Path) -> None:
    line = "# yaml-language-server: $schema=environment.schema.json"
    assert line not in text_of(PLATFORM, tmp_path)

    (tmp_path / "environment.schema.json").write_text("{}")

    assert text_of(PLATFORM, tmp_path).startswith(f"{line}\n")


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ({"health": ()}, "health_endpoints:"),
        ({"releases": ()}, "release_identity:"),
        ({"api": None}, "collections:"),
        ({"web": None}, "web:"),
        ({"api": replace(API, login=None)}, "How one signs in was not found"),
        ({"api": replace(API, lists=())}, "No lists were found"),
        ({"web": replace(WEB, form=None)}, "No form to sign in by was found"),
    ],
    ids=["health", "release", "API", "web", "sign-in", "lists", "form"],
)
def test_what_was_not_found_is_told_with_how_to_add_it(
    lacking: dict[str, object], told: str, tmp_path: Path, load: Load
) -> None:
    platform = replace(PLATFORM, **lacking)

    load(platform)

    remarks = [
        line for line in text_of(platform, tmp_path).splitlines() if line.strip().startswith("#")
    ]
    assert any(told in line for line in remarks)


def test_a_list_that_is_for_some_alone_is_told_and_left_out(tmp_path: Path) -> None:
    api = replace(API, lists=(replace(ORDERS, is_for_some=True), NEWS))

    text = text_of(replace(PLATFORM, api=api), tmp_path, **SIGNED_IN)

    assert "# Not here: GET /orders; its description says that not everybody may read it." in text


def test_credentials_that_go_with_each_request_have_something_to_tell_them_by(load: Load) -> None:
    login = LoginFound(send={"Authorization": "Basic {{basic}}"}, said_by="its refusals say so")
    only = replace(ORDERS, is_for_some=True)
    api = replace(API, login=login, whoami=None, lists=(only,))

    environment = load(replace(PLATFORM, api=api), **SIGNED_IN)

    assert environment.api
    assert environment.api.tells_sign_ins


def test_a_key_takes_one_variable(load: Load) -> None:
    login = LoginFound(send={"X-Key": "{{token}}"}, takes_key=True, said_by="its description")
    platform = replace(PLATFORM, api=replace(API, login=login, whoami=None))

    environment = load(platform, SHOP_TOKEN="a-key-of-the-shop")

    assert environment.api
    assert environment.api.identities["user"].token
    assert environment.web
    assert environment.web.sign_in == ()


def test_pages_that_no_browser_has_seen_wait_for_one(load: Load, tmp_path: Path) -> None:
    platform = replace(PLATFORM, web=replace(WEB, is_seen=False))

    assert load(platform).web is None
    assert load(platform, awake=True, **SIGNED_IN).web
    assert "Once there is a browser" in text_of(platform, tmp_path)


def test_an_empty_list_may_stay_empty(load: Load) -> None:
    environment = load(replace(PLATFORM, api=replace(API, lists=(replace(NEWS, count=0),))))

    assert environment.api
    assert environment.api.collections["news"].fewest == 0


HOSTILE = [
    "${HOME}",
    "$${HOME}",
    "a: b",
    "# not a comment",
    "line\nbreak: true",
    "\x1b[2J\x07",
    "'\"\\",
    "- item",
    "*alias",
    "!!python/object:os.system",
    "yes",
    "null",
    "1e3",
    "0x1f",
    "2026-11-27",
    "1:30",
    "{a: b}",
    "}, evil: {",
    "%TAG",
    "@at",
    "a\u2028b\u0085",
    "a\ud800b",
    "本 🎈",
    " padded ",
    "x" * 500,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_target_says_is_nothing_but_text(text: str, load: Load) -> None:
    page = PageFound(name="start", path="/", heading=text, is_public=True)
    form = FormFound(path="/login", username=text, password="Password", button=text)
    api = replace(API, title=text, passed_over=(text,), login=replace(LOGIN, said_by=text))
    platform = replace(
        PLATFORM,
        health=(replace(PLATFORM.health[0], said=text),),
        releases=(replace(PLATFORM.releases[0], release=text),),
        api=api,
        web=replace(WEB, pages=(page, *WEB.pages[1:]), form=form, remarks=(text,)),
        remarks=(text,),
    )

    environment = load(platform, HOME="/a/secret/place", **SIGNED_IN)

    assert environment.web
    heading = environment.web.pages["start"].heading or ""
    cleaned = "".join(sign if sign.isprintable() else " " for sign in text)
    assert heading == cleaned
    assert "/a/secret/place" not in environment.model_dump_json()
    assert list(environment.health_endpoints) == ["health"]
    assert environment.allow.writes is False
