"""The `web` section: what may stand in it, and what of it must fit together."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from deployment_gate.environment import Environment, WebTarget, explain, parse_condition
from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.fields import Share
from deployment_gate.environment.web_sections import WebStep

API = """
api:
  base_url: http://api
  login: {request: POST /login}
  identities:
    ana: {username: test, password: "${PASSWORD}"}
    robot: {token: "${PASSWORD}"}
"""
SIGN_IN = """
sign_in:
  - open: /login
  - fill: {Name: "{{username}}", Password: "{{password}}"}
  - click: {button: Sign in}
    see: {button: Sign out}
"""
SIGN_OUT = "sign_out: [{click: {button: Sign out}}]\n"
PAGE_TRIGGER = "rollback_triggers:\n  pages:\n    {action: hold, timeout: 5m, TRIGGER}\n"


def environment_of(section: str, more: str = "") -> str:
    """The text of an environment with such a `web` section."""
    web = indent(dedent(section).strip(), "  ")
    return f"{API.strip()}\nweb:\n  base_url: http://shop\n{web}\n{dedent(more)}"


def journey_of(text: str) -> str:
    """A section with one journey."""
    return f"{SIGN_IN}journeys: {{buy: {{{text}}}}}\n"


@pytest.fixture
def web(load: Callable[..., Environment]) -> Callable[..., WebTarget]:
    """Load a `web` section."""

    def web(section: str, more: str = "") -> WebTarget:
        target = load(environment_of(section, more), PASSWORD="a-password").web
        assert target
        return target

    return web


@pytest.fixture
def wrong(complaint: Callable[..., str]) -> Callable[..., str]:
    """Answer what is wrong with a `web` section."""
    return lambda section, more="": complaint(environment_of(section, more), PASSWORD="a-password")


def test_its_address_is_enough(web: Callable[..., WebTarget]) -> None:
    target = web("")
    assert [(name, page.path) for name, page in target.shown.items()] == [("start", "/")]
    assert target.smoke_pages == {"start"}
    assert target.finds
    assert target.finds.start == "/"
    assert list(target.devices) == ["phone", "tablet", "desktop"]
    assert target.widest == "desktop"


def test_named_pages_are_all_there_are_unless_others_are_looked_for(
    web: Callable[..., WebTarget],
) -> None:
    pages = "pages: {home: /, search: {path: /search}}\n"
    assert web(pages).finds is None
    assert list(web(pages).shown) == ["home", "search"]
    found = web(pages + "discover: {start: /map, at_most: 3}").finds
    assert found
    assert (found.start, found.at_most) == ("/map", 3)


@pytest.mark.parametrize(
    ("pages", "smoke"),
    [
        ("{a: /, b: /b}", {"a"}),
        ("{a: /, b: {path: /b, smoke: true}}", {"b"}),
        ("{a: {path: /, smoke: true}, b: {path: /b, smoke: true}}", {"a", "b"}),
    ],
)
def test_after_a_deploy_those_pages_are_seen_that_say_so_or_else_the_first(
    web: Callable[..., WebTarget], pages: str, smoke: set[str]
) -> None:
    assert web(f"pages: {pages}").smoke_pages == smoke


def test_only_pages_that_are_not_public_need_somebody_who_signed_in(
    web: Callable[..., WebTarget],
) -> None:
    pages = "pages: {home: /, login: {path: /login, public: true}}\n"
    target = web(SIGN_IN + pages)
    seen = {name: target.is_signed_in(page) for name, page in target.shown.items()}
    assert seen == {"home": True, "login": False}
    assert not web(pages).is_signed_in(web(pages).shown["home"])


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{open: /a, see: {heading: A}}", "open /a"),
        ("{fill: {Name: a, Mail: b}, press: Enter}", "fill in Name, Mail, press Enter"),
        ("{select: {Status: Active}}", 'choose "Active" in Status'),
        ("{go: back}", "go back"),
        ("{go: reload}", "reload"),
        ("{see: {heading: A}}", "look"),
        ("{name: have a look, see: {heading: A}}", "have a look"),
    ],
)
def test_a_step_is_called_by_what_is_done(
    web: Callable[..., WebTarget], step: str, told: str
) -> None:
    (taken,) = web(f"journeys: {{a: {{steps: [{step}]}}}}").journeys["a"].steps
    assert taken.sentence() == told


def test_a_steps_places_are_those_of_all_that_is_filled_into() -> None:
    step = WebStep.model_validate(
        {
            "open": "/{{a}}",
            "fill": {"Label": "{{b}}"},
            "select": {"List": "{{c}}"},
            "click": {"link": "{{d}}", "inside": {"region": "{{e}}"}},
            "see": {"text": "{{f}}"},
            "see_not": [{"text": "{{g}}"}],
            "capture": {"id": {"cell": "{{h}}"}},
        }
    )
    assert step.places() == set("abcdefgh")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("sign_in: [{click: Sign in}]", 'web.sign_in.0.click: "Sign in" doesn\'t say what people'),
        ("sign_in: [{see: {buttn: x}}]", 'web.sign_in.0.see.0: "buttn" is nothing that people'),
        ("sign_in: [{see: [{button: x}, {link: 5}]}]", "web.sign_in.0.see.1: takes its name"),
        ("sign_in: [{fill: [a]}]", "web.sign_in.0.fill: must be a map"),
        ("sign_in: [{fill: {a: 5}}]", 'web.sign_in.0.fill.a: "5" must be text'),
        (
            "sign_in: [{clck: {button: x}}]",
            "web.sign_in.0.clck: isn't a key that is known here. Did",
        ),
        ("sign_in: [{name: a}]", "web.sign_in.0: does nothing. Write `open`, `fill`, `click` or"),
        ("sign_in: [{go: bak}]", "Did you mean back?"),
        ("sign_in: {click: {button: x}}", "web.sign_in: must be a list"),
        ("with: 3", "web.with: isn't a key that is known here. Known: base_url, devices"),
        ("jorneyz: {}", "Did you mean journeys?"),
        ("pages: {a: {pth: /}}", "Did you mean path?"),
        ("pages: {a: b}", '"b" is no path'),
        ("pages: {A B: /}", '"A B" is also a part of a file\'s name'),
        ("pages: {a: /, b: /b, c: /}", "web.pages.c.path: is that of `a`, too"),
        ("pages: {a: '/{{id}}'}", "web.pages.a.path: has a place, and nothing to fill it with"),
        ("discover: {start: '/{{id}}'}", "web.discover.start: has a place"),
        ("discover: {at_mst: 3}", "Did you mean at_most?"),
        ("devices: {}", "web.devices: must not be empty"),
        ("devices: {phone: {width: 390}}", "web.devices.phone.height: isn't there"),
        ("devices: {phone: null}", "web.devices.phone: must be a map of `key: value` lines. It is"),
        ("speed: {loads: 0}", 'web.speed.loads: "0" must be at least 1'),
        ("speed: {loads: 10001}", 'web.speed.loads: "10001" must be at most 10000'),
        ("speed: {cumulative_layout_shift: -1}", '"-1" must be at least 0'),
        ("speed: {cumulative_layout_shift: a}", '"a" must be a number'),
        ("speed: {interaction_to_next_paint: 200}", "200 has no unit"),
        ("pictures: {tolerance: 5}", '"5" is no share from 0% to below 100%. Write "0.1%", or'),
        ("pictures: {tolerance: 100%}", '"100%" is no share'),
        ("pictures: {tolerance: true}", '"True" is no share'),
        ("inaccessible: serius", "Did you mean serious?"),
        ("third_parties: [http://cdn.x/y]", "is no name of a host. Write each by its whole name "),
        ("third_parties: [http://cdn.x/y]", "alone, as in cdn.x"),
        ("third_parties: [cdn.x, 'cdn.y:443']", 'web.third_parties.1: "cdn.y:443" is no name'),
        ("third_parties: ['*.cdn.x']", '"*.cdn.x" is no name of a host'),
        ("third_parties: ['a, EXCLUDE *']", "is no name of a host"),
        ("identity: ana", "web.identity: nothing says how one signs in by the pages"),
        (SIGN_IN + "identity: anna", 'web.identity: "anna" is no identity. Did you mean ana?'),
        (
            SIGN_IN + "identity: robot",
            'web.identity: "robot" has no username and no password to sign in with',
        ),
        (SIGN_OUT, "web.sign_out: nobody has signed in. Write `sign_in:` beside it"),
        (
            SIGN_IN + SIGN_OUT + "pages: {a: {path: /, public: true}}",
            "web.sign_out: shuts nobody out: all pages are public",
        ),
        (
            SIGN_IN + "sign_out: [{fill: {a: '{{password}}'}}]",
            "web.sign_out.0.fill: only `sign_in` knows {{password}}",
        ),
        (SIGN_IN + "sign_out: [{open: '/{{run}}'}]", "nothing is called {{run}} here"),
        ("sign_in: [{fill: {Password: hunter22}}]", "web.sign_in.0.fill.Password: secrets come"),
        ("sign_in: [{fill: {a: '{{passwrd}}'}}]", "Did you mean password?"),
        ("sign_in: [{open: '/?p={{password}}'}]", "web.sign_in.0.open: would show the password"),
        ("sign_in: [{see: {text: '{{password}}'}}]", "web.sign_in.0.see: would show the password"),
        (
            "sign_in: [{capture: {username: {text: a}}}]",
            "web.sign_in.0.capture.username: would hide the run's own {{username}}",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(
    wrong: Callable[..., str], section: str, told: str
) -> None:
    complaints = wrong(section)
    assert complaints.startswith("here.yaml:")
    assert told in complaints


@pytest.mark.parametrize(
    ("journey", "told"),
    [
        ("steps: []", "web.journeys.buy.steps: must not be empty"),
        ("identity: an, steps: [{open: /}]", "Did you mean ana?"),
        (
            "identity: robot, steps: [{open: /}]",
            'web.journeys.buy.identity: "robot" has no username and no password',
        ),
        ("device: phon, steps: [{open: /}]", 'web.journeys.buy.device: "phon" is no device. Did'),
        (
            "steps: [{open: '/{{id}}'}]",
            "steps.0.open: nothing is called {{id}} here. There are: run",
        ),
        ("steps: [{open: '/{{a-b}}'}]", "steps.0.open: {{a-b}} is no place for a value"),
        ("steps: [{fill: {a: '{{username}}'}}]", "nothing is called {{username}} here"),
        ("steps: [{fill: {a: '{{password}}'}}]", "only `sign_in` knows {{password}}"),
        ("steps: [{fill: {'{{run}}': a}}]", "steps.0.fill.{{run}}: has a place, and nothing"),
        ("steps: [{select: {'{{run}}': a}}]", "steps.0.select.{{run}}: has a place, and nothing"),
        ("steps: [{press: '{{run}}'}]", "steps.0.press: has a place, and nothing"),
        ("steps: [{click: {link: '{{id}}'}}]", "steps.0.click: nothing is called {{id}} here"),
        ("steps: [{see: {link: null, inside: {region: '{{id}}'}}}]", "steps.0.see: nothing is"),
        ("steps: [{capture: {a-b: {text: a}}}]", "capture.a-b: is no name for {{...}}"),
        ("steps: [{capture: {run: {text: a}}}]", "capture.run: would hide the run's own {{run}}"),
        (
            "steps: [{open: /}], cleanup: [{open: /}]",
            "web.journeys.buy.cleanup: has nothing to clean up: the journey only reads",
        ),
        (
            "writes: true, steps: [{open: /}]",
            "web.journeys.buy: writes, and doesn't say how it cleans up",
        ),
    ],
)
def test_what_is_wrong_with_a_journey_is_told_at_its_place(
    wrong: Callable[..., str], journey: str, told: str
) -> None:
    assert told in wrong(journey_of(journey))


def test_a_step_may_use_what_was_captured_before_it(web: Callable[..., WebTarget]) -> None:
    journey = web(
        journey_of(
            "writes: true, steps: [{open: '/{{environment}}/{{run}}', capture: {id: {cell: null}}},"
            " {see: {text: 'No. {{ id }}'}}], cleanup: [{open: '/{{id}}/remove'}]"
        )
    ).journeys["buy"]
    assert journey.cleanup[0].places() == {"id"}


def test_signing_in_may_use_what_its_steps_captured(web: Callable[..., WebTarget]) -> None:
    target = web(
        "sign_in: [{open: /, capture: {code: {text: {matches: '^[0-9]+$'}}}},"
        " {fill: {Code: '{{code}}', Name: '{{username}}', Password: '{{password}}'}}]\n"
    )
    assert target.sign_in[1].places() == {"code", "username", "password"}


def test_who_signs_in_needs_only_what_the_steps_use(web: Callable[..., WebTarget]) -> None:
    target = web("identity: robot\nsign_in: [{click: {button: Enter as a guest}}]\n")
    assert target.identity == "robot"


def test_who_writes_need_not_be_known_where_writing_is_not_allowed(
    web: Callable[..., WebTarget], wrong: Callable[..., str]
) -> None:
    section = journey_of("writes: true, identity: admin, steps: [{open: /}], cleanup: []")
    assert web(section).journeys["buy"].identity == "admin"
    assert '"admin" is no identity' in wrong(section, "allow: {writes: true}\n")


def test_somebody_must_be_there_to_sign_in(complaint: Callable[..., str]) -> None:
    text = f"web:\n  base_url: http://shop\n{indent(SIGN_IN.strip(), '  ')}\n"
    assert "web.sign_in: nobody is there to sign in. Write `identities:` in `api`" in complaint(
        text
    )


def test_the_first_identity_signs_in_where_none_is_named(complaint: Callable[..., str]) -> None:
    text = environment_of(SIGN_IN).replace(
        '    ana: {username: test, password: "${PASSWORD}"}\n', ""
    )
    told = complaint(text, PASSWORD="a-password")
    assert 'web.sign_in: "robot" has no username and no password to sign in with' in told


def test_null_removes_a_device_that_is_inherited(directory: Any) -> None:
    small, large = "{width: 390, height: 844, touch: true}", "{width: 1280, height: 720}"
    directory.write(
        "above", f"web: {{base_url: http://shop, devices: {{phone: {small}, desktop: {large}}}}}\n"
    )
    directory.write("here", "extends: above\nweb: {devices: {phone: null}}\n")
    target = directory.load("here").web
    assert list(target.devices) == ["desktop"]


def test_who_names_a_device_has_only_those_that_are_named(
    web: Callable[..., WebTarget], wrong: Callable[..., str]
) -> None:
    watch = "devices: {watch: {width: 200, height: 200, touch: true}}\n"
    assert list(web(watch).devices) == ["watch"]
    told = wrong(watch + "journeys: {buy: {steps: [{open: /}]}}")
    assert 'web.journeys.buy.device: "desktop" is no device. There are: watch' in told


@given(tenths=st.integers(0, 999))
def test_a_share_is_a_percentage_or_a_fraction(tenths: int) -> None:
    read = TypeAdapter(Share).validate_python
    share = pytest.approx(tenths / 1000)
    assert read(f"{tenths / 10}%") == share
    assert read(f"{tenths / 10} %") == share
    assert read(tenths / 1000) == share
    assert read(TypeAdapter(Share).dump_python(read(tenths / 1000))) == share


def test_numbers_may_come_from_variables(load: Callable[..., Environment]) -> None:
    target = load(
        environment_of(
            "pictures: {tolerance: '${TOLERANCE}'}\n"
            "speed: {cumulative_layout_shift: '${SHIFT}', loads: '${LOADS}'}\n"
        ),
        PASSWORD="a-password",
        TOLERANCE="0.5%",
        SHIFT="0.25",
        LOADS="7",
    ).web
    assert target
    assert target.pictures.tolerance == pytest.approx(0.005)
    assert (target.speed.cumulative_layout_shift, target.speed.loads) == (0.25, 7)


def test_hosts_are_those_of_all_sections_and_of_others_that_are_listed(
    load: Callable[..., Environment],
) -> None:
    environment = load(
        environment_of(
            "third_parties: [CDN.example.org, 10.0.0.1]",
            "health_endpoints: {a: {url: 'http://health:8000/h'}}\n"
            "release_identity: {a: {url: 'https://release/v', header: X-Release}}\n",
        ),
        PASSWORD="a-password",
    )
    assert environment.hosts() == {
        "api",
        "shop",
        "health",
        "release",
        "cdn.example.org",
        "10.0.0.1",
    }


def test_every_variable_that_is_filled_in_to_sign_in_is_a_secret(
    load: Callable[..., Environment],
) -> None:
    environment = load(
        environment_of(
            "sign_in: [{open: '/in?key=${SHOP_DOOR}'}, {fill: {Tenant: '${SHOP_TENANT}'}}]\n"
            "pages: {a: '/${SHOP_PATH}'}\n"
        ),
        PASSWORD="a-password",
        SHOP_DOOR="door-of-shop",
        SHOP_TENANT="tenant-of-shop",
        SHOP_PATH="path-of-shop",
    )
    assert environment.secrets == {"a-password", "door-of-shop", "tenant-of-shop"}


TOLD = """
identity: ana
sign_in: [{name: knock, open: /login}, {click: {button: Sign in}, see: {button: Sign out}}]
sign_out: [{click: {button: Sign out}, see_not: {button: Sign out}}]
pages:
  home: {path: /, heading: Shop, smoke: true}
  help: {path: /help, public: true, masks: {status: null}}
discover: {at_most: 3}
devices: {phone: {width: 390, height: 844, touch: true}, wide: {width: 1600, height: 900}}
journeys:
  buy:
    description: Somebody buys a book
    identity: ana
    smoke: true
    writes: true
    device: phone
    steps:
      - {fill: {Title: "{{run}}"}, select: {Format: Paper}, press: Enter, see: {text: Bought}}
      - {capture: {number: {cell: Number}}}
    cleanup: [{open: "/orders/{{number}}/cancel"}]
speed: {loads: 7, weight: 2 MB, requests: 40}
pictures: {tolerance: 0.5%, masks: [{img: Advertisement}]}
inaccessible: critical
third_parties: [cdn.example.org]
timeout: 4s
"""


SENTENCES = """
Web interface
  at http://shop; what it shows is waited for up to 4 seconds
  its pages may ask beside shop only api, cdn.example.org; all other hosts are kept from the browser
  ana signs in by its pages:
    1. knock: open /login
    2. click button "Sign in", see button "Sign out"
  and signs out:
    1. click button "Sign out", don't see button "Sign out"
  home at / is headed "Shop", seen by who signed in, after each deploy
  help at /help has a main heading, seen by anybody, in the full run, without status in its picture
  up to 3 pages are found by links from / on
  devices: phone (390 x 844, touched), wide (1600 x 900)
  each page is loaded 7 times or more: its largest part is seen within 2 seconds 500 ms
  its layout shifts by at most 0.1, and a click shows within 200 ms
  a first load may bring 2 MB and send 40 requests at most
  of an approved picture, without img "Advertisement", at most 0.5 % of the pixels may differ
  what is inaccessible is a failure from critical on

Journeys through pages
  buy, after each deploy, as ana, on phone, where writing is allowed: Somebody buys a book
    1. fill in Title, choose "Paper" in Format, press Enter, see text "Bought"
    2. remember cell "Number" as {{number}}
    at the end: open /orders/{{number}}/cancel
"""


def test_the_section_is_told_in_sentences(load: Callable[..., Environment]) -> None:
    told = explain(load(environment_of(TOLD), PASSWORD="a-password"))
    section = told[told.index("Web interface") :].split("\n\n")
    assert "\n\n".join(section[:2]) == SENTENCES.strip()


def test_the_smallest_section_is_told_in_sentences(load: Callable[..., Environment]) -> None:
    told = explain(load("web: {base_url: http://shop}\n"))
    assert "its pages may ask only shop; all other hosts are kept from the browser" in told
    assert "nobody signs in by its pages" in told
    assert "start at / has a main heading, seen by anybody, after each deploy" in told
    assert "up to 10 pages are found by links from / on" in told
    assert "Journeys through pages" not in told


@pytest.mark.parametrize(
    "phrase", ["Page error rate > 5% for 2 minutes", "Page load time > 2s for 3 minutes"]
)
def test_a_trigger_on_page_loads_needs_pages(complaint: Callable[..., str], phrase: str) -> None:
    trigger = PAGE_TRIGGER.replace("TRIGGER", f"condition: {phrase}")
    told = complaint("health_endpoints: {a: {url: http://a}}\n" + trigger)
    assert told.startswith("here.yaml:4: rollback_triggers.pages.condition: there is no `web` ")
    assert "section whose pages could be loaded" in told


@pytest.mark.parametrize(
    ("section", "pattern", "told"),
    [
        ("pages: {home: /, search: /search}", "search", "is the name of a page. Write its path: /"),
        ("pages: {home: /, search: /search}", "/sarch*", "fits no page. There are: /, /search"),
        ("pages: {home: /}", "GET /", "fits no page. Write paths of pages, as in /search*"),
        ("", "GET /", "fits no page. Write paths of pages, as in /search*"),
    ],
)
def test_what_a_trigger_on_page_loads_is_about_must_be_a_page(
    wrong: Callable[..., str], section: str, pattern: str, told: str
) -> None:
    condition = f"condition: Page error rate > 5% for 2m, endpoints: ['{pattern}']"
    complaints = wrong(section, PAGE_TRIGGER.replace("TRIGGER", condition))
    assert f"rollback_triggers.pages.endpoints.0: {told}" in complaints


@pytest.mark.parametrize(
    ("section", "pattern"),
    [
        ("pages: {home: /, search: '/search?q=a'}", "/search*"),
        ("pages: {home: /, search: '/search?q=a'}", "/search?q=a"),
        ("pages: {home: /}", "*"),
        ("", "/anything/that/links/lead/to"),
        ("pages: {home: /}\ndiscover: {}", "/orders/*"),
    ],
)
def test_a_trigger_on_page_loads_may_be_about_some_pages_only(
    load: Callable[..., Environment], section: str, pattern: str
) -> None:
    condition = f"condition: Page load time > 2s for 3m, endpoints: ['{pattern}']"
    text = environment_of(section, PAGE_TRIGGER.replace("TRIGGER", condition))
    told = explain(load(text, PASSWORD="a-password"))
    assert (
        "pages: holds when more than 5 % of the page loads take longer than 2 seconds throughout "
        f"3 minutes, at {pattern}" in told
    )


def test_a_trigger_on_answers_needs_no_pages(load: Callable[..., Environment]) -> None:
    condition = "condition: Error rate > 5% for 2m, endpoints: [anything]"
    text = "health_endpoints: {a: {url: http://a}}\n" + PAGE_TRIGGER.replace("TRIGGER", condition)
    assert load(text).rollback_triggers["pages"].condition == parse_condition(
        "Error rate > 5% for 2m"
    )


@given(ms=st.integers(1, 10**7))
def test_a_time_is_read_as_it_is_told(ms: int) -> None:
    speed = WebTarget.model_validate(
        {"base_url": "http://shop", "speed": {"largest_contentful_paint": f"{ms}ms"}}
    ).speed
    told = format_duration(speed.largest_contentful_paint)
    again = WebTarget.model_validate(
        {"base_url": "http://shop", "speed": {"largest_contentful_paint": told}}
    ).speed
    assert again == speed
