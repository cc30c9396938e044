"""What axe-core finds, and that it leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Page

from deployment_gate.web import accessibility
from deployment_gate.web.accessibility import AxeError, Impact, Violation, sentence, violations

Show = Callable[[str], Page]

STRICT = {"Content-Security-Policy": "default-src 'self'; require-trusted-types-for 'script'"}


def document(body: str, *, lang: str = "en") -> str:
    return f'<!doctype html><html lang="{lang}"><title>A page</title><main>{body}</main></html>'


HEALTHY = document('<h1>Policies</h1><img src="data:," alt="Logo"><a href="/x">Read them all</a>')


def test_sound_page_has_no_violations(show: Show) -> None:
    assert violations(show(HEALTHY)) == ()


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("image-alt", '<img src="data:,">'),
        ("label", '<input type="text">'),
        ("button-name", "<button></button>"),
        ("link-name", '<a href="/x"></a>'),
        ("color-contrast", '<p style="color: #ccc; background: #fff">Pale</p>'),
        ("list", "<ul><p>No item</p></ul>"),
    ],
)
def test_broken_rule_is_found(show: Show, rule: str, body: str) -> None:
    assert [violation.rule for violation in violations(show(document(body)))] == [rule]


def test_worst_violations_come_first(show: Show) -> None:
    body = '<p style="color: #ccc; background: #fff">Pale</p><img src="data:,">'
    found = violations(show(document(body, lang="")))
    assert [violation.impact for violation in found] == sorted(
        (violation.impact for violation in found), key=list(Impact).index, reverse=True
    )
    assert found[0].rule == "image-alt"
    assert found[0].impact is Impact.CRITICAL


def test_three_places_are_shown_and_all_are_counted(show: Show) -> None:
    images = "".join(f'<img src="data:,{i}" class="{"x" * 200}">' for i in range(5))
    [found] = violations(show(document(images)))
    assert found.count == 5
    assert len(found.where) == 3
    assert found.where[0].startswith("<img ")
    assert all(len(place) <= 120 for place in found.where)


def test_violation_says_how_to_mend_it_in_one_line(show: Show) -> None:
    [found] = violations(show(document('<img src="data:,">')))
    assert found.mend == "Element does not have an alt attribute"
    assert found.help_url.startswith("https://dequeuniversity.com/rules/axe/")
    assert found.help_url.endswith("/image-alt")


def test_best_practices_are_left_out_unless_asked_for(show: Show) -> None:
    page = show('<!doctype html><html lang="en"><title>A page</title><p>Outside of any landmark')
    assert violations(page) == ()
    assert "region" in {violation.rule for violation in violations(page, tags=["best-practice"])}


def test_strict_policies_of_a_page_keep_nothing_from_being_found(site: Any, tab: Page) -> None:
    site.answers["/"] = (HTTPStatus.OK, STRICT, document('<img src="/logo.png">'))
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(site.url)
    assert [violation.rule for violation in violations(tab)] == ["image-alt"]
    assert not [message for message in said if "policy" in message.lower()]


def test_nothing_is_left_in_the_page(show: Show) -> None:
    page = show(HEALTHY)
    look = "() => [Object.getOwnPropertyNames(window).sort(), document.documentElement.outerHTML]"
    before = page.evaluate(look)
    violations(page)
    assert page.evaluate(look) == before


def test_axe_of_the_page_itself_stays_its_own(show: Show) -> None:
    page = show(document("<script>window.axe = 'mine'</script><h1>Chopping</h1>"))
    assert violations(page) == ()
    assert page.evaluate("window.axe") == "mine"


def test_page_can_be_looked_at_again(show: Show) -> None:
    page = show(document('<img src="data:,">'))
    assert violations(page) == violations(page)


def test_embedded_pages_of_others_are_left_out(show: Show) -> None:
    page = show(
        document(
            '<iframe title="Sealed" sandbox srcdoc="<img src=x>"></iframe>'
            '<iframe title="Elsewhere" src="http://elsewhere.test/"></iframe>'
            '<iframe title="Own" srcdoc="<img src=x>"></iframe>'
        )
    )
    assert violations(page) == ()


def test_nothing_is_fetched(site: Any, show: Show) -> None:
    page = show(document('<link rel="stylesheet" href="/style.css"><h1>Styled</h1>'))
    violations(page)
    assert site.asked.count("GET /style.css") == 1


def test_failure_of_axe_itself_is_told(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessibility, "_axe", lambda: "throw new Error('blunt')")
    with pytest.raises(AxeError, match=r"could not look at http.*: Error: blunt"):
        violations(show(HEALTHY))


def test_sentence_says_what_where_and_how_to_mend() -> None:
    violation = Violation(
        rule="image-alt",
        impact=Impact.CRITICAL,
        help="Images must have alternative text",
        mend="Element does not have an alt attribute",
        help_url="https://example.test/image-alt",
        where=("<img>", '<img src="x">'),
        count=2,
    )
    assert sentence(violation) == (
        "Images must have alternative text (critical, image-alt) at <img> and 1 more: "
        "Element does not have an alt attribute"
    )
