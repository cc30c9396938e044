"""`report.html`: the verdict above pytest-html's table, and never a way in for a script."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.html import TITLE, VERDICT, finish_html, render_verdict_block

Make = Callable[..., Account]
OWN_TAGS = {
    *("style", "section", "h2", "h3", "p", "strong", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class Reader(HTMLParser):
    """Collects what a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        """Keep a comment."""
        self.comments.append(data)


@pytest.mark.parametrize("decision", list(Decision))
def test_the_block_tells_the_verdict_and_why(decision: Decision, account: Make) -> None:
    reasons = [] if decision is Decision.PROMOTE else ["the disk is full"]
    told = account(*reasons, decision=decision, notes=("a blip",), not_covered=("web: none",))
    read = Reader(render_verdict_block(told))
    assert set(read.tags) <= OWN_TAGS
    assert read.attributes == {"class"}
    for text in (told.headline, told.subject, told.sentence, *reasons, "a blip", "web: none"):
        assert text in read.texts, text
    for text in ("http://api/health", "0123abcd", "gate 1", "2026-11-23 03:00:00 UTC"):
        assert text in read.texts, text
    assert ("Why" in read.texts) is bool(reasons)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&lt;--><!--</section>"


def test_everything_hostile_is_text(account: Make, trigger: Callable[..., TriggerResult]) -> None:
    told = account(
        HOSTILE,
        notes=(HOSTILE,),
        not_covered=(HOSTILE,),
        health_endpoints={HOSTILE: HOSTILE},
        triggers=(trigger(TriggerState.FIRED, name=HOSTILE, phrase=HOSTILE, why=HOSTILE),),
        run=dict.fromkeys(("id", "environment", "release", "tier", "tool"), HOSTILE),
    )
    for text in (render_verdict_block(told), finish_html(None, told)):
        read = Reader(text)
        assert set(read.tags) <= OWN_TAGS | {"html", "head", "meta", "title", "body"}
        assert read.attributes <= {"class", "lang", "charset", "style"}
        assert read.comments == []
        assert read.texts.count(HOSTILE) >= 8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("<>&\"'/=!-ab ;#x3"))
def test_no_text_adds_a_tag(text: str, account: Make) -> None:
    before = Reader(render_verdict_block(account("x", notes=("y",)))).tags
    assert Reader(render_verdict_block(account(text or "x", notes=(text,)))).tags == before


def test_the_verdict_takes_the_place_that_was_left_for_it(account: Make) -> None:
    head = f"<html><head><title>{TITLE}</title></head>"
    draft = f"{head}<body><h1>{TITLE}</h1>{VERDICT}<p>rest</p></body></html>"
    text = finish_html(draft, account())
    read = Reader(text)
    assert VERDICT not in text
    assert TITLE not in text
    assert read.texts.count("PROMOTE: staging") == 2
    assert "rest" in read.texts


def test_without_a_draft_there_is_a_page_with_the_verdict_alone(account: Make) -> None:
    text = finish_html(None, account("x"))
    assert text.startswith("<!DOCTYPE html>")
    assert "HOLD: staging" in Reader(text).texts
    assert text.endswith("</html>\n")
