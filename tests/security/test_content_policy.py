"""What content security policies leave open is told, and nothing that they close."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Kind, named
from deployment_gate.security.content_policy import look_at_policies
from deployment_gate.security.csp import KNOWN
from tests.security.answered import answered, http, serving, these

NONCE = "'nonce-c2l4dGVlbmJ5dGVzcGx1cw=='"
BASE = "default-src 'none'; base-uri 'none'"
CLOSED = "default-src 'none'; script-src 'self'; base-uri 'none'"


def rules(*policies: str, url: str = "https://web.example/", body: str = "") -> set[str]:
    """The rules that a page with these policies breaks."""
    page = answered(*(("Content-Security-Policy", one) for one in policies), url=url, body=body)
    return {one.rule.id for one in look_at_policies(these(page)).breaches}


@pytest.mark.parametrize(
    ("policy", "broken"),
    [
        (CLOSED, set()),
        ("default-src 'none'", set()),
        ("default-src 'self'; style-src 'unsafe-inline'; img-src data: https:", set()),
        (f"{BASE}; script-src {NONCE} 'strict-dynamic' https: 'unsafe-inline'", set()),
        ("default-src 'self' https://www.google.com/recaptcha/", set()),
        ("script-src 'self' 'unsafe-inline'; object-src 'none'", {"csp-inline-scripts"}),
        ("default-src 'self' 'unsafe-inline'", {"csp-inline-scripts"}),
        ("script-src 'self'; script-src-attr 'unsafe-inline'; object-src 'none'",
         {"csp-inline-scripts"}),
        ("default-src *", {"csp-open-sources"}),
        ("script-src https:; object-src 'none'", {"csp-open-sources"}),
        ("script-src data:; object-src 'none'", {"csp-open-sources"}),
        ("script-src 'self' https://*:443; object-src 'none'", {"csp-open-sources"}),
        ("script-src 'self'; object-src *", {"csp-open-sources"}),
        ("default-src 'self'; base-uri https:", {"csp-open-sources"}),
        ("script-src 'self'", {"csp-incomplete"}),
        ("object-src 'none'", {"csp-incomplete"}),
        ("frame-ancestors 'none'", {"csp-incomplete"}),
        ("upgrade-insecure-requests", {"csp-incomplete"}),
        (f"script-src {NONCE}; object-src 'none'", {"csp-incomplete"}),
        ("script-src 'sha256-AAAA' 'strict-dynamic'; object-src 'none'", {"csp-incomplete"}),
        ("script-src 'sha256-AAAA'; object-src 'none'", set()),
        ("default-src 'self' cdn.jsdelivr.net", {"csp-bypass-host"}),
        ("default-src 'self' https://*.googleapis.com", {"csp-bypass-host"}),
        ("default-src 'self' https://cdn.jsdelivr.net/npm/left-pad/", set()),
        (f"default-src {NONCE} 'strict-dynamic' unpkg.com; base-uri 'self'", set()),
        ("default-src 'self' 'unsafe-eval'", {"csp-eval"}),
        ("default-src 'nonce-abc'; base-uri 'none'", {"csp-nonce-guessable"}),
        ("default-src self", {"csp-misspelt"}),
        ("default-src 'self'; scirpt-src 'none'", {"csp-misspelt"}),
        ("default-src 'self' object-src 'none'", {"csp-misspelt"}),
        ("default-src 'none' 'self'", {"csp-misspelt"}),
        ("default-src 'strict-dynamic'", {"csp-misspelt"}),
        ("default-src 'self'; connect-src http://api.example", {"csp-plain-http"}),
        ("default-src 'self'; connect-src http://localhost:*", set()),
        ("default-src 'self'; img-src http://a.example; upgrade-insecure-requests", set()),
    ],
)  # fmt: skip
def test_each_gap_is_told_by_its_rule(policy: str, broken: set[str]) -> None:
    assert rules(policy) == broken


def test_a_page_without_a_policy_is_told_and_report_only_counts_for_nothing() -> None:
    reporting = answered(("Content-Security-Policy-Report-Only", CLOSED))

    bare, reported = (look_at_policies(these(one)).breaches for one in (answered(), reporting))

    assert [one.rule.id for one in bare] == ["csp-missing"]
    assert [one.rule.id for one in reported] == ["csp-missing"]
    assert "only one that reports" in reported[0].detail


def test_what_a_page_itself_states_is_a_policy() -> None:
    body = f'<head><meta http-equiv="Content-Security-Policy" content="{CLOSED}"></head>'

    assert rules(body=body) == set()


def test_all_policies_are_enforced_so_one_that_closes_is_enough() -> None:
    assert rules("default-src *", CLOSED) == set()
    assert rules(f"default-src * 'unsafe-inline', {CLOSED}") == set()
    assert rules("script-src 'unsafe-inline'", "object-src 'none'") == {"csp-inline-scripts"}
    assert rules("default-src unpkg.com", "default-src cdn.jsdelivr.net") == set()


def test_without_tls_plain_sources_are_nothing_new() -> None:
    policy = "default-src 'self'; connect-src http://api.example"

    assert rules(policy, url="http://127.0.0.1:1/") == set()


def test_plain_pictures_matter_less_than_what_a_page_asks() -> None:
    def severity(directive: str) -> FindingSeverity:
        policy = f"default-src 'self'; {directive} http://a.example"
        page = answered(("Content-Security-Policy", policy))
        return look_at_policies(these(page)).breaches[0].severity

    assert severity("img-src") is FindingSeverity.LOW
    assert severity("connect-src") is FindingSeverity.MEDIUM


def test_a_nonce_that_comes_again_is_none() -> None:
    policy = ("Content-Security-Policy", f"default-src {NONCE}; base-uri 'none'")
    pages = [answered(policy, url=f"https://web.example/{n}") for n in range(2)]

    (breach,) = look_at_policies(these(*pages)).breaches

    assert breach.rule.id == "csp-nonce-guessable"
    assert "same in several" in breach.detail
    assert breach.places == ("web GET /0", "web GET /1")


def test_several_pages_with_one_gap_are_one_breach() -> None:
    pages = [answered(url=f"https://web.example/{n}", status=200 + n) for n in range(3)]

    (breach,) = look_at_policies(these(*pages)).breaches

    assert len(breach.places) == 3
    assert "3 pages" in breach.detail


def test_data_and_redirects_need_no_policy() -> None:
    data = answered(html=False)
    redirect = answered(("Location", "/login"), status=302)
    page = answered(("Content-Security-Policy", CLOSED))

    assert look_at_policies(these(page, data, redirect)).breaches == ()


def test_where_no_page_was_shown_nothing_is_known() -> None:
    looked = look_at_policies(these(answered(("Location", "/login"), status=302)))

    assert looked.breaches == ()
    assert "public: true" in looked.unseen[0]


def test_errors_of_a_real_server_are_pages_too() -> None:
    html = ("Content-Type", "text/html")
    with (
        serving(lambda _: http("<h1>gone</h1>", 404, [html])) as target,
        httpx.Client(base_url=target.origin) as client,
    ):
        answer = named(Kind.NOWHERE, "web", "/RANDOM", client.get("/gone"))

    (breach,) = look_at_policies(these(answer)).breaches
    assert breach.rule.id == "csp-missing"
    assert breach.places == ("web GET /RANDOM (404)",)
    assert breach.exchange.startswith("> GET http://127.0.0.1:")


_SOURCES = st.sampled_from(
    [
        "'self'",
        "'none'",
        "*",
        "https:",
        "http://a",
        NONCE,
        "'strict-dynamic'",
        "unpkg.com",
        "//",
        ":*",
    ]
)
_POLICIES = st.lists(
    st.tuples(st.sampled_from(sorted(KNOWN)), st.lists(_SOURCES | st.text(max_size=6))).map(
        lambda one: " ".join([one[0], *one[1]])
    )
).map("; ".join)


@given(_POLICIES)
def test_a_policy_that_closes_all_makes_up_for_any_other(policy: str) -> None:
    sendable = "".join(one for one in policy if " " <= one <= "~")

    # How it is written is each policy's own matter.
    assert rules(sendable, CLOSED) <= {"csp-misspelt"}
