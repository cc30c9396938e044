"""Content security policies are read as browsers read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.security.csp import KNOWN, Policy, parse_meta, parse_policies, parse_policy


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("", {}),
        (" ; ;", {}),
        ("default-src 'none'", {"default-src": ("'none'",)}),
        ("SCRIPT-SRC 'Self'", {"script-src": ("'Self'",)}),
        ("script-src\ta\n b\fc ;", {"script-src": ("a", "b", "c")}),
        ("upgrade-insecure-requests", {"upgrade-insecure-requests": ()}),
        ("img-src a; img-src b; IMG-SRC c", {"img-src": ("a",)}),
        ("script-src ä; style-src b", {"style-src": ("b",)}),
        ("script-src a\x0bb", {"script-src": ("a\x0bb",)}),
    ],
)
def test_a_policy_is_read_by_the_specification(
    text: str, directives: dict[str, tuple[str, ...]]
) -> None:
    assert parse_policy(text).directives == directives


def test_commas_and_headers_part_policies_and_empty_ones_are_none() -> None:
    policies = parse_policies(["default-src 'none', img-src a", ",", "script-src b"])

    assert [dict(one.directives) for one in policies] == [
        {"default-src": ("'none'",)},
        {"img-src": ("a",)},
        {"script-src": ("b",)},
    ]


def test_what_only_headers_may_say_is_left_out_of_meta_elements() -> None:
    stated = parse_meta(["frame-ancestors 'none'; script-src 'self'", "sandbox; report-uri /r"])

    assert [dict(one.directives) for one in stated] == [{"script-src": ("'self'",)}]


@pytest.mark.parametrize(
    ("text", "directive", "governing"),
    [
        ("default-src a", "script-src-elem", "default-src"),
        ("default-src a; script-src b", "script-src-attr", "script-src"),
        ("script-src b; script-src-elem c", "script-src-elem", "script-src-elem"),
        ("script-src b; child-src c", "worker-src", "child-src"),
        ("script-src b", "worker-src", "script-src"),
        ("script-src b", "object-src", None),
        ("default-src a", "base-uri", None),
        ("default-src a", "frame-ancestors", None),
        ("default-src a", "form-action", None),
    ],
)
def test_what_is_not_named_falls_back_as_the_specification_says(
    text: str, directive: str, governing: str | None
) -> None:
    assert parse_policy(text).governing(directive) == governing


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("img-src 'none'", True),  # nothing governs scripts
        ("script-src 'self'", False),
        ("script-src 'UNSAFE-inline'", True),
        ("default-src 'unsafe-inline'", True),
        ("script-src 'unsafe-inline' 'nonce-abcdefgh12345678'", False),
        ("script-src 'unsafe-inline' 'NONCE-abcdefgh12345678'", False),
        ("script-src 'unsafe-inline' 'sha256-deadbeef'", False),
        ("script-src 'unsafe-inline' 'Sha512-deadbeef=='", False),
        ("script-src 'unsafe-inline' 'strict-dynamic'", False),
        ("script-src 'unsafe-inline' 'nonce-'", True),  # no nonce at all
        ("script-src 'unsafe-inline' 'sha1-deadbeef'", True),
        ("script-src 'none' 'unsafe-inline'", True),
        ("script-src unsafe-inline", False),  # a host
        ("script-src 'unsafe-inline'; script-src-elem 'self'", False),
    ],
)
def test_scripts_in_the_page_run_where_browsers_would_run_them(text: str, *, allowed: bool) -> None:
    assert parse_policy(text).allows_inline("script-src-elem") is allowed


def test_nonces_and_hashes_keep_their_case_and_the_rest_loses_it() -> None:
    policy = parse_policy(
        "script-src HTTPS: 'SELF' CDN.example/Path 'nonce-AbC' 'sha256-AbC=' HTTPS://A.example/B"
    )

    assert policy.sources("script-src") == (
        "https:",
        "'self'",
        "cdn.example/Path",
        "'nonce-AbC'",
        "'sha256-AbC='",
        "https://a.example/B",
    )
    assert policy.nonces() == ("AbC",)
    assert policy.trusts_by_mark()


def test_none_counts_alone_only() -> None:
    assert parse_policy("img-src 'NONE'").sources("img-src") == ("'none'",)
    assert parse_policy("img-src 'none' a").sources("img-src") == ("a",)
    assert parse_policy("img-src").sources("img-src") == ()


_WORDS = st.sampled_from(
    [*sorted(KNOWN), "'none'", "'unsafe-inline'", "'nonce-x'", "*", "https:", ";", ",", "a.example"]
)
_TEXTS = st.one_of(st.text(), st.lists(_WORDS | st.text(max_size=5)).map(" ".join))


@given(st.lists(_TEXTS))
def test_nothing_that_a_header_may_hold_breaks_the_reading(headers: list[str]) -> None:
    for policy in parse_policies(headers) + parse_meta(headers):
        assert policy.directives
        for name in [*KNOWN, *policy.directives]:
            sources = policy.sources(name)
            assert (sources is None) is (policy.governing(name) is None)
            assert policy.allows_inline(name) in {True, False}
        assert isinstance(policy.nonces(), tuple)


@given(_TEXTS)
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    policy = parse_policy(text)

    written = "; ".join(" ".join([name, *words]) for name, words in policy.directives.items())

    assert parse_policy(written) == Policy(policy.directives)
