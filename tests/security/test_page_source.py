"""What pages load unguarded is told, and numbers that aren't addresses aren't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.page import read_page
from deployment_gate.security.page_source import look_at_pages, private_addresses
from tests.security.answered import answered, these

HERE = "https://web.example/"
HASH = 'integrity="sha384-AAAA" crossorigin="anonymous"'


def broken(body: str, *headers: tuple[str, str], url: str = HERE) -> dict[str, FindingSeverity]:
    """The rules that a page breaks, and how bad that is."""
    looked = look_at_pages(these(answered(*headers, body=body, url=url)), {"127.0.0.1", "10.1.1.1"})
    return {one.rule.id: one.severity for one in looked.breaches}


LOW, MEDIUM, HIGH = FindingSeverity.LOW, FindingSeverity.MEDIUM, FindingSeverity.HIGH


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ('<script src="/app.js"></script>', {}),
        ('<script src="https://cdn.example.net/a.js"></script>', {"script-without-integrity": LOW}),
        (f'<script src="https://cdn.example.net/a.js" {HASH}></script>', {}),
        ('<script src="//cdn.example.net/a.js"></script>', {"script-without-integrity": LOW}),
        ("<SCRIPT SRC=https://cdn.example.net/a.js>", {"script-without-integrity": LOW}),
        ('<script src="https://static.web.example/a.js"></script>', {}),  # the same site
        ('<script src="http://cdn.example.net/a.js"></script>', {"script-over-plain-http": HIGH}),
        ('<script src="http://web.example/a.js"></script>', {"script-over-plain-http": HIGH}),
        ('<base href="http://cdn.example.net/"><script src="a.js"></script>',
         {"script-over-plain-http": HIGH}),
        ('<script>var a = "<script src=https://cdn.example.net/a.js>"</script>', {}),
        ('<!-- <script src="https://cdn.example.net/a.js"></script> -->', {}),
        ('<link rel="stylesheet" href="http://web.example/a.css">', {"mixed-content": MEDIUM}),
        ('<iframe src="http://a.example/"></iframe>', {"mixed-content": MEDIUM}),
        ('<img src="http://a.example/a.png">', {"mixed-content": LOW}),
        ('<link rel="icon" href="http://a.example/a.png">', {"mixed-content": LOW}),
        ('<link rel="canonical" href="http://web.example/">', {}),
        ('<a href="http://a.example/">there</a>', {}),
        ('<img src="http://127.0.0.1:1/a.png">', {}),  # trustworthy
    ],
)  # fmt: skip
def test_what_a_page_over_tls_loads_unguarded_is_told(
    body: str, rules: dict[str, FindingSeverity]
) -> None:
    assert broken(body) == rules


def test_a_policy_that_upgrades_requests_leaves_nothing_mixed() -> None:
    policy = ("Content-Security-Policy", "upgrade-insecure-requests")
    body = '<img src="http://a.example/"><script src="http://web.example/a.js"></script>'

    assert broken(body, policy) == {}


def test_a_page_without_tls_has_nothing_mixed_but_scripts_of_others_matter() -> None:
    url = "http://127.0.0.1:13000/"
    assert broken('<img src="http://a.example/"><script src="a.js"></script>', url=url) == {}
    script = '<script src="http://cdn.example.net/a.js"></script>'
    assert broken(script, url=url) == {"script-over-plain-http": HIGH}


def test_several_scripts_on_several_pages_are_one_breach() -> None:
    scripts = "".join(
        f'<script src="https://cdn.example.net/{n}.js?k=1"></script>' for n in range(9)
    )
    pages = [answered(body=scripts, url=f"{HERE}{n}") for n in range(3)]

    (breach,) = look_at_pages(these(*pages), ()).breaches

    assert breach.places == ("web GET /0", "web GET /1", "web GET /2")
    assert breach.detail.endswith("/4.js and 4 more")
    assert "?k=1" not in breach.detail


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ask 10.0.0.5 for it", {"10.0.0.5"}),
        ("http://192.168.1.7:8080/x", {"192.168.1.7"}),
        ("(172.16.0.9)", {"172.16.0.9"}),
        ("172.15.0.9 172.32.0.9 11.0.0.1 8.8.8.8", set()),
        ("169.254.169.254", {"169.254.169.254"}),
        ("http://api-service:8000/health", {"api-service"}),
        ("wss://queue.platform.svc.cluster.local/", {"queue.platform.svc.cluster.local"}),
        ("https://db.internal", {"db.internal"}),
        ("https://example.com/internal", set()),
        ("http://localhost:3000 http://127.0.0.1:1 10.1.1.1", set()),
        ("http://your-server/", set()),
        ("version 10.2.3.4", set()),
        ("Release: 10.2.3.4, v10.2.3.4", set()),
        ("10.2.3.4.5", set()),
        ("110.2.3.4", set()),
        ("10.2.3.400", set()),
        ("10.0.0.0/8", set()),
        ("build-10.2.3.4", set()),
        ("m10.25.5.5z", set()),
    ],
)
def test_private_addresses_are_told_from_other_numbers(text: str, found: set[str]) -> None:
    assert private_addresses([text], frozenset({"127.0.0.1", "10.1.1.1"})) == found


def test_private_addresses_in_pages_and_headers_are_one_breach() -> None:
    page = answered(body="<!-- 10.0.0.5 --><p data-backend='http://db.internal/'>", url=HERE)
    data = answered(("X-Backend", "10.0.0.6:8080"), body="192.168.0.1", html=False)

    (breach,) = look_at_pages(these(page, data), ()).breaches

    assert breach.rule.id == "private-address-told"
    assert breach.severity is LOW
    assert breach.detail == "10.0.0.5, 10.0.0.6, db.internal"
    assert breach.places == ("web GET /", "api GET /")


def test_drawings_have_no_addresses() -> None:
    assert broken('<svg viewBox="0 0 10.1.2.3"><path d="M0 10.5.25.3 l10.5.25.3"/></svg>') == {}


def test_a_page_is_read_with_what_it_states_of_itself() -> None:
    page = read_page(
        "<html><head><meta http-equiv=Content-Security-Policy content=\"default-src 'self'\">"
        '<meta name="Referrer" content="no-referrer">'
        '<base href="/static/"></head><body><script src="a.js" integrity="sha256-A"></script>',
        HERE,
    )

    assert page.policies == ["default-src 'self'"]
    assert page.referrer == "no-referrer"
    (script,) = page.loaded
    assert (script.url, script.integrity) == ("https://web.example/static/a.js", "sha256-A")


def test_of_an_attribute_that_stands_twice_the_first_counts() -> None:
    (script,) = read_page('<script src="/first.js" src="/second.js"></script>', HERE).loaded

    assert script.url == "https://web.example/first.js"


_PIECES = st.sampled_from(
    [
        "<",
        ">",
        "<![",
        "<!",
        "<?",
        "</",
        "<script",
        "src=",
        "'",
        '"',
        "--",
        "<!--",
        "&#",
        "//[",
        "]]>",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=5)).map("".join))
def test_no_page_breaks_the_reading(source: str) -> None:
    page = read_page(source, HERE)

    assert isinstance(page.loaded, list)
    look_at_pages(these(answered(body=source)), ())
