"""Pages are graded by the Observatory's table, and what costs points is told by some check."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answer_headers import look_at_headers
from deployment_gate.security.answers import Answer, Kind, named
from deployment_gate.security.content_policy import look_at_policies
from deployment_gate.security.cookies import look_at_cookies
from deployment_gate.security.cors import FOREIGN, CrossOrigin, look_at_origins
from deployment_gate.security.csp import parse_policy
from deployment_gate.security.observatory import (
    Grade,
    Mark,
    grade_of,
    grade_page,
    look_at_grade,
    policy_modifier,
    score_of,
)
from deployment_gate.security.page_source import look_at_pages
from tests.security.answered import SOUND, answered, http, serving, these, without

ORDINARY = [*without("Content-Security-Policy"), ("Content-Security-Policy", "default-src 'self'")]
"""Headers that cost nothing, and aren't all of the best."""


def modifier_of(grade: Grade, name: str) -> int:
    """What a test gave or took."""
    (found,) = [test.modifier for test in grade.marks if test.name == name]
    return found


def cross_origin(allowed: str, credentials: str = "") -> CrossOrigin:
    """What a stranger's origin was allowed."""
    headers = [("Access-Control-Allow-Origin", allowed)] if allowed else []
    headers += [("Access-Control-Allow-Credentials", credentials)] if credentials else []
    return CrossOrigin(FOREIGN, "a stranger's origin", answered(*headers))


def lead(status: int = 200, location: str = "") -> httpx.Response:
    """What is answered without TLS."""
    headers = {"Location": location} if location else {}
    request = httpx.Request("GET", "http://web.example/")
    return httpx.Response(status, headers=headers, request=request)


@pytest.mark.parametrize(
    ("score", "grade"),
    [
        (135, "A+"),
        (100, "A+"),
        (99, "A"),
        (95, "A"),
        (90, "A"),
        (89, "A-"),
        (85, "A-"),
        (80, "B+"),
        (75, "B"),
        (70, "B"),
        (65, "B-"),
        (60, "C+"),
        (55, "C"),
        (50, "C"),
        (45, "C-"),
        (40, "D+"),
        (35, "D"),
        (30, "D"),
        (25, "D-"),
        (24, "F"),
        (0, "F"),
    ],
)
def test_grades_begin_where_the_table_says(score: int, grade: str) -> None:
    assert grade_of(score) == grade


@pytest.mark.parametrize(
    ("modifiers", "score"),
    [
        ([], 100),
        ([5, 10], 115),
        ([-10, 5], 95),
        ([-15, 5, 10], 85),
        ([-5, -5, 10], 100),
        ([-50, -50, -50, 10], 0),
    ],
)
def test_bonuses_count_from_ninety_on(modifiers: list[int], score: int) -> None:
    assert score_of(modifiers) == score


@given(st.lists(st.integers(-50, 10)))
def test_points_are_bounded_and_every_fault_costs(modifiers: list[int]) -> None:
    score = score_of(modifiers)

    assert 0 <= score <= 100 + sum(one for one in modifiers if one > 0)
    assert score_of([*modifiers, -5]) <= score
    assert grade_of(score)


@pytest.mark.parametrize(
    ("policy", "https", "modifier"),
    [
        ("default-src 'none'; script-src 'self'", True, 10),
        ("default-src 'self'", True, 5),
        ("default-src 'self'; style-src 'unsafe-inline'", True, 0),
        ("default-src 'self'; style-src https:", True, 0),
        ("default-src 'self'; script-src 'unsafe-eval'", True, -10),
        ("default-src 'self'; img-src http://a.example", True, -10),
        ("default-src 'self'; img-src http://a.example", False, 5),
        ("default-src 'self'; connect-src http://a.example", True, -20),
        ("default-src 'self' 'unsafe-inline'", True, -20),
        ("default-src 'self'; script-src data:", True, -20),
        ("default-src https:", True, -20),
        ("default-src 'self'; object-src *", True, -20),
        ("script-src 'self'", True, -20),
        ("object-src 'none'", True, -20),
        ("default-src 'none'; script-src 'unsafe-inline' 'nonce-abcdefgh1234'", True, 10),
        ("default-src 'none'; script-src 'strict-dynamic' https: 'nonce-abcdefgh1234'", True, 10),
        ("default-src 'none'; script-src 'strict-dynamic' 'self'", True, -25),
    ],
)
def test_a_policy_gives_and_takes_as_the_table_says(
    policy: str, *, https: bool, modifier: int
) -> None:
    assert policy_modifier(parse_policy(policy), is_https=https)[0] == modifier


def test_the_strictest_of_several_policies_counts_since_all_are_enforced() -> None:
    policies = ("default-src *", "default-src 'none'", "script-src 'unsafe-inline'")
    page = answered(*(("Content-Security-Policy", one) for one in policies))

    assert modifier_of(grade_page(page), "content-security-policy") == 10


@pytest.mark.parametrize(
    ("cookie", "modifier"),
    [
        ("session=x; Secure; HttpOnly; SameSite=Lax", 5),
        ("a=x; Secure; SameSite=Lax", 5),
        ("a=x; Secure", 0),
        ("a=x; SameSite=Lax", -20),
        ("a=x; Secure; SameSite=Never", -20),
        ("csrf=x; Secure", -20),
        ("session=x; Secure; SameSite=Lax", -30),
        ("session=x; HttpOnly; SameSite=Lax", -40),
        ("session=; Max-Age=0", 0),
        ("", 0),
    ],
)
def test_the_worst_cookie_counts(cookie: str, modifier: int) -> None:
    headers = without("Strict-Transport-Security")
    page = answered(*headers, *([("Set-Cookie", cookie)] if cookie else []))

    assert modifier_of(grade_page(page), "cookies") == modifier


def test_what_strict_transport_guards_costs_less() -> None:
    page = answered(*SOUND, ("Set-Cookie", "session=x; HttpOnly; SameSite=Lax"))

    assert modifier_of(grade_page(page), "cookies") == -10


@pytest.mark.parametrize(
    ("headers", "test", "modifier"),
    [
        ([("Referrer-Policy", "no-referrer")], "referrer-policy", 5),
        ([("Referrer-Policy", "unsafe-url")], "referrer-policy", -5),
        ([("Referrer-Policy", "made-up")], "referrer-policy", -5),
        ([], "referrer-policy", 0),
        ([("X-Content-Type-Options", "nosniff")], "x-content-type-options", 0),
        ([("X-Content-Type-Options", "yes")], "x-content-type-options", -5),
        ([("Content-Security-Policy", "frame-ancestors 'none'")], "x-frame-options", 5),
        ([("X-Frame-Options", "DENY")], "x-frame-options", 0),
        ([], "x-frame-options", -20),
        ([], "content-security-policy", -25),
        ([("Content-Security-Policy-Report-Only", "default-src 'none'")],
         "content-security-policy", -25),
        ([("Strict-Transport-Security", "max-age=15768000")], "strict-transport-security", 0),
        ([("Strict-Transport-Security", "max-age=15767999")], "strict-transport-security", -10),
        ([("Strict-Transport-Security", "max-age")], "strict-transport-security", -20),
        ([], "strict-transport-security", -20),
        ([("Cross-Origin-Opener-Policy", "same-origin")], "Cross-Origin-Opener-Policy", 10),
        ([("Cross-Origin-Opener-Policy", 'same-origin; report-to="a"')],
         "Cross-Origin-Opener-Policy", 10),
        ([("Cross-Origin-Opener-Policy", "unsafe-none")], "Cross-Origin-Opener-Policy", 0),
        ([("Cross-Origin-Opener-Policy", "same")], "Cross-Origin-Opener-Policy", -5),
        ([("Cross-Origin-Resource-Policy", "same-site")], "Cross-Origin-Resource-Policy", 10),
        ([("Cross-Origin-Resource-Policy", "cross-origin")], "Cross-Origin-Resource-Policy", 0),
        ([("Cross-Origin-Embedder-Policy", "require-corp")], "Cross-Origin-Embedder-Policy", 10),
        ([("Cross-Origin-Embedder-Policy", "yes")], "Cross-Origin-Embedder-Policy", -5),
        ([("Cross-Origin-Embedder-Policy", "require-corp")] * 2,
         "Cross-Origin-Embedder-Policy", -5),
    ],
)  # fmt: skip
def test_each_header_gives_and_takes_as_the_table_says(
    headers: list[tuple[str, str]], test: str, modifier: int
) -> None:
    assert modifier_of(grade_page(answered(*headers)), test) == modifier


@pytest.mark.parametrize(
    ("script", "modifier"),
    [
        ("", 0),
        ('<script src="/a.js"></script>', 0),
        ('<script src="/a.js" integrity="sha256-A"></script>', 5),
        ('<script src="https://cdn.example.net/a.js" integrity="sha256-A"></script>', 5),
        ('<script src="https://cdn.example.net/a.js"></script>', -5),
        ('<script src="http://cdn.example.net/a.js" integrity="sha256-A"></script>', -20),
        ('<script src="http://cdn.example.net/a.js"></script>', -50),
    ],
)
def test_scripts_of_others_give_and_take_as_the_table_says(script: str, modifier: int) -> None:
    assert modifier_of(grade_page(answered(body=script)), "subresource-integrity") == modifier


@pytest.mark.parametrize(
    ("allowed", "credentials", "modifier"),
    [(FOREIGN, "true", -50), (FOREIGN, "", 0), ("*", "true", 0), ("", "", 0)],
)
def test_only_any_origin_with_credentials_costs(
    allowed: str, credentials: str, modifier: int
) -> None:
    grade = grade_page(answered(), cross_origin=[cross_origin(allowed, credentials)])

    assert modifier_of(grade, "cross-origin-resource-sharing") == modifier


@pytest.mark.parametrize(
    ("plain", "modifier"),
    [
        (lead(308, "https://web.example/"), 0),
        (lead(301, "https://www.web.example/"), -5),
        (lead(302, "/login"), -10),
        (lead(302, "http://www.web.example/"), -10),
        (lead(200), -20),
        (lead(404), -20),
    ],
)
def test_where_plain_http_leads_first_counts(plain: httpx.Response, modifier: int) -> None:
    assert modifier_of(grade_page(answered(), plain=plain), "redirection") == modifier


def test_on_loopback_without_tls_two_tests_do_not_apply_and_that_is_told() -> None:
    page = answered(*without("Strict-Transport-Security"), url="http://127.0.0.1:13000/")

    grade = grade_page(page)

    names = {test.name for test in grade.marks}
    assert not {"strict-transport-security", "redirection"} & names
    assert grade.letter == "A+"
    assert "left out: strict-transport-security and redirection" in grade.told()


def test_elsewhere_without_tls_both_cost() -> None:
    grade = grade_page(answered(*SOUND, url="http://web.example/"))

    assert modifier_of(grade, "strict-transport-security") == -20
    assert modifier_of(grade, "redirection") == -20


def test_the_grade_is_told_with_what_made_it_the_worst_first() -> None:
    lines = grade_page(answered(*without("Content-Security-Policy"))).told().splitlines()

    assert lines[0] == "web GET /: B, 75 points"
    assert lines[1] == "-25 content-security-policy: none"


def test_a_real_page_is_graded() -> None:
    html = ("Content-Type", "text/html")
    with (
        serving(lambda _: http("<p>", headers=[*ORDINARY, html])) as target,
        httpx.Client(base_url=target.origin) as client,
    ):
        page = named(Kind.PAGE, "web", "/", client.get("/"))

    grade = grade_page(page)

    assert (grade.letter, grade.score) == ("A+", 110)
    assert look_at_grade(grade).breaches == ()


def test_a_low_grade_takes_more_than_one_fault() -> None:
    worst = cross_origin(FOREIGN, "true")
    one_fault = grade_page(answered(*ORDINARY), cross_origin=[worst])
    two_faults = grade_page(answered(*without("X-Content-Type-Options")), cross_origin=[worst])
    more_faults = grade_page(answered(), cross_origin=[worst])

    assert one_fault.score == 50
    assert look_at_grade(one_fault).breaches == ()
    (breach,) = look_at_grade(two_faults).breaches
    assert breach.rule.id == "page-graded-low"
    assert breach.detail.startswith("C-, 45 points: -50 cross-origin-resource-sharing")
    assert grade_of(more_faults.score) == "F"


def test_a_header_that_says_nothing_known_only_warns() -> None:
    page = answered(*SOUND, ("Cross-Origin-Opener-Policy", "yes"))

    (breach,) = look_at_grade(grade_page(page)).breaches

    assert (breach.rule.id, breach.severity) == (
        "cross-origin-policy-invalid",
        FindingSeverity.LOW,
    )


def _cookie(text: str) -> Answer:
    return answered(*SOUND, ("Set-Cookie", text))


def _script(text: str) -> Answer:
    return answered(*SOUND, body=f'<script src="{text}"></script>')


def _policy(text: str) -> Answer:
    headers = without("Content-Security-Policy")
    return answered(*headers, ("Content-Security-Policy", f"{text}; frame-ancestors 'none'"))


@pytest.mark.parametrize(
    "page",
    [
        answered(*without("Content-Security-Policy")),
        answered(*without("X-Content-Type-Options")),
        answered(*without("Strict-Transport-Security")),
        answered(*without("Content-Security-Policy", "X-Frame-Options")),
        answered(*without("Referrer-Policy"), ("Referrer-Policy", "unsafe-url")),
        answered(*without("Strict-Transport-Security"), ("Strict-Transport-Security", "max-age=9")),
        _policy("script-src 'self'"),
        _policy("default-src 'self' 'unsafe-inline'"),
        _policy("default-src 'self' 'unsafe-eval'"),
        _policy("default-src 'self'; object-src https:"),
        _policy("default-src 'self'; img-src http://a.example"),
        _policy("default-src 'self'; connect-src http://a.example"),
        _policy("default-src 'strict-dynamic'"),
        _cookie("session=x; HttpOnly; SameSite=Lax"),
        _cookie("session=x; Secure; SameSite=Lax"),
        _cookie("a=x; SameSite=Lax"),
        _cookie("a=x; Secure; SameSite=Never"),
        _cookie("csrf=x; Secure"),
        _script("https://cdn.example.net/a.js"),
        _script("http://cdn.example.net/a.js"),
    ],
)
def test_what_costs_points_is_told_by_the_check_that_is_about_it(page: Answer) -> None:
    costs = [test for test in grade_page(page).marks if test.modifier < 0]
    looks = (
        look_at_headers(these(page)),
        look_at_policies(these(page)),
        look_at_cookies(these(page)),
        look_at_pages(these(page), ()),
    )

    assert costs
    assert sum(len(one.breaches) for one in looks) >= 1
    assert look_at_grade(grade_page(page)).breaches == ()


def test_any_origin_with_credentials_is_told_by_the_check_that_asks() -> None:
    (breach,) = look_at_origins([cross_origin(FOREIGN, "true")]).breaches

    assert breach.severity is FindingSeverity.HIGH


def test_tests_are_told_with_their_sign() -> None:
    assert [str(Mark("a", points, "why")) for points in (-5, 0, 10)] == [
        "-5 a: why",
        "+0 a: why",
        "+10 a: why",
    ]
