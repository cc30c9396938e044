"""Every kind of answer must bear its headers, and each rule is one breach with all places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answer_headers import (
    look_at_headers,
    read_strict_transport,
    referrer_policy_of,
    refuses_frames,
)
from deployment_gate.security.answers import Answer, Answers
from tests.security.answered import SOUND, answered, these, without


def broken(*answers: Answer) -> dict[str, FindingSeverity]:
    """The rules that answers break, and how bad that is."""
    return {one.rule.id: one.severity for one in look_at_headers(these(*answers)).breaches}


def test_sound_answers_break_no_rule() -> None:
    data = answered(*SOUND, html=False, private=True)

    assert broken(answered(*SOUND), data, answered(*SOUND, status=404)) == {}


@pytest.mark.parametrize(
    ("missing", "rule", "severity"),
    [
        ("X-Content-Type-Options", "content-type-sniffed", FindingSeverity.LOW),
        ("Strict-Transport-Security", "strict-transport-missing", FindingSeverity.MEDIUM),
        ("Referrer-Policy", "referrer-told", FindingSeverity.LOW),
    ],
)
def test_a_header_that_is_missing_breaks_its_rule(
    missing: str, rule: str, severity: FindingSeverity
) -> None:
    assert broken(answered(*without(missing))) == {rule: severity}


def test_only_the_error_answers_lack_it_and_they_are_the_places() -> None:
    lacking = without("X-Content-Type-Options", "Strict-Transport-Security")
    sound = answered(*SOUND, url="https://web.example/fine")
    errors = [
        answered(*lacking, url=f"https://web.example/{one}", status=one) for one in (404, 500)
    ]

    breaches = look_at_headers(these(sound, *errors)).breaches

    assert {one.rule.id for one in breaches} == {"content-type-sniffed", "strict-transport-missing"}
    assert {one.places for one in breaches} == {("web GET /404 (404)", "web GET /500 (500)")}


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ([("X-Frame-Options", "DENY")], True),
        ([("X-Frame-Options", "sameorigin")], True),
        ([("X-Frame-Options", "DENY"), ("X-Frame-Options", "deny")], True),
        ([("X-Frame-Options", "DENY"), ("X-Frame-Options", "SAMEORIGIN")], False),
        ([("X-Frame-Options", "ALLOW-FROM https://a.example")], False),
        ([("X-Frame-Options", "ALLOWALL")], False),
        ([("Content-Security-Policy", "frame-ancestors 'none'")], True),
        ([("Content-Security-Policy", "frame-ancestors https://a.example")], True),
        ([("Content-Security-Policy", "frame-ancestors *")], False),
        ([("Content-Security-Policy", "frame-ancestors https:")], False),
        # The policy alone counts where both are there.
        ([("Content-Security-Policy", "frame-ancestors *"), ("X-Frame-Options", "DENY")], False),
        ([("Content-Security-Policy", "frame-ancestors *, frame-ancestors 'self'")], True),
        ([("Content-Security-Policy", "default-src 'none'")], False),
        ([("Content-Security-Policy-Report-Only", "frame-ancestors 'none'")], False),
        ([], False),
    ],
)
def test_framing_is_refused_where_browsers_would(
    headers: list[tuple[str, str]], *, refused: bool
) -> None:
    assert refuses_frames(answered(*headers)) is refused


def test_a_meta_element_refuses_no_frame() -> None:
    meta = "<meta http-equiv=content-security-policy content=\"frame-ancestors 'none'\">"

    assert not refuses_frames(answered(body=meta))


def test_framing_of_data_alone_matters_little() -> None:
    lacking = without("Content-Security-Policy", "X-Frame-Options")
    data, page = answered(*lacking, html=False), answered(*lacking)

    assert broken(data) == {"framing-allowed": FindingSeverity.LOW}
    assert broken(data, page) == {"framing-allowed": FindingSeverity.MEDIUM}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("max-age=63072000", 63072000),
        ('MAX-AGE="31536000" ; includeSubDomains; preload', 31536000),
        ("includesubdomains; max-age = 5", 5),
        ("max-age=0", 0),
        ("max-age=1; max-age=2", None),
        ("max-age", None),
        ("max-age=-1", None),
        ("max-age=1e9", None),
        ("includeSubDomains", None),
        ("", None),
        (";;max-age=7;", 7),
    ],
)
def test_strict_transport_is_read_by_its_specification(value: str, read: int | None) -> None:
    assert read_strict_transport(value) == read


@given(st.text())
def test_nothing_in_strict_transport_breaks_the_reading(value: str) -> None:
    age = read_strict_transport(value)

    assert age is None or age >= 0


def test_half_a_year_is_long_enough_and_less_only_warns() -> None:
    def with_age(seconds: int) -> dict[str, FindingSeverity]:
        header = ("Strict-Transport-Security", f"max-age={seconds}")
        return broken(answered(*without("Strict-Transport-Security"), header))

    assert with_age(15768000) == {}
    assert with_age(15767999) == {"strict-transport-missing": FindingSeverity.LOW}
    assert with_age(0) == {"strict-transport-missing": FindingSeverity.MEDIUM}


def test_without_tls_strict_transport_would_be_ignored() -> None:
    lacking = without("Strict-Transport-Security")

    assert broken(answered(*lacking, url="http://127.0.0.1:13000/")) == {}


def test_redirects_and_empty_answers_show_nothing() -> None:
    strict = [one for one in SOUND if one[0] == "Strict-Transport-Security"]
    redirect = answered(*strict, ("Location", "/login"), status=302)

    assert broken(redirect, answered(*strict, status=204, html=False)) == {}


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        (["no-referrer"], "no-referrer"),
        (["no-referrer, strict-origin-when-cross-origin"], "strict-origin-when-cross-origin"),
        (["strict-origin", "unsafe-url"], "unsafe-url"),
        (["same-origin, made-up"], "same-origin"),
        (["made-up"], ""),
        (["NO-REFERRER"], "no-referrer"),
        ([], ""),
    ],
)
def test_the_last_referrer_policy_that_browsers_know_counts(values: list[str], policy: str) -> None:
    assert referrer_policy_of(answered(*(("Referrer-Policy", one) for one in values))) == policy


def test_a_page_may_state_its_referrer_policy_itself() -> None:
    body = '<meta name="referrer" content="same-origin">'

    assert broken(answered(*without("Referrer-Policy"), body=body)) == {}


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        (None, FindingSeverity.MEDIUM),
        ("public, max-age=600", FindingSeverity.MEDIUM),
        ("max-age=600", FindingSeverity.MEDIUM),
        ("private, max-age=600", FindingSeverity.LOW),
        ("no-cache", FindingSeverity.LOW),
    ],
)
def test_private_data_must_not_be_stored(said: str | None, severity: FindingSeverity) -> None:
    headers = [*without("Cache-Control"), *([("Cache-Control", said)] if said else [])]

    private = answered(*headers, html=False, private=True)

    assert broken(private) == {"private-answer-stored": severity}
    assert broken(answered(*headers, html=False)) == {}
    assert broken(answered(*headers, html=False, private=True, status=403)) == {}


def test_what_could_not_be_asked_is_told() -> None:
    assert look_at_headers(Answers((), ("nobody signed in",))).unseen == ("nobody signed in",)
