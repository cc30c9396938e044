"""`report.html`: the verdict and why, what each check left, and never a way in for a script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.evidence import CheckOutcome, Outcome, PlannedCheck
from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.page.render import render_page
from deployment_gate.reports.page.verdict import render_verdict_block
from tests.reports.conftest import START
from tests.reports.drafts import PNG, attachment, draft_of, entry

Make = Callable[..., Account]
OWN_TAGS = {
    *("section", "article", "h1", "h2", "h3", "p", "strong", "span", "ul", "li"),
    *("details", "summary", "pre", "table", "tbody", "tr", "th", "td"),
}
PAGE_TAGS = OWN_TAGS | {
    *("html", "head", "meta", "title", "style", "body", "main", "nav", "script"),
    *("a", "div", "code", "figure", "figcaption", "img"),
}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&lt;--><!--</section>"


class Reader(HTMLParser):
    """Collects what a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.values: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.values += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        """Keep a comment."""
        self.comments.append(data)

    def all_of(self, attribute: str) -> list[str]:
        """The values of an attribute."""
        return [value for name, value in self.values if name == attribute]


def with_outcomes(account: Account, *outcomes: CheckOutcome) -> Account:
    """An account of a run whose checks ended so."""
    plan = tuple(PlannedCheck(id=one.id, category="api") for one in outcomes)
    return replace(account, evidence=replace(account.evidence, plan=plan, outcomes=outcomes))


def ended(name: str, outcome: Outcome = Outcome.FAILED, message: str = "") -> CheckOutcome:
    """How a check ended."""
    return CheckOutcome(id=name, outcome=outcome, at=START, duration_s=0.1, message=message)


@pytest.mark.parametrize("decision", list(Decision))
def test_the_block_tells_the_verdict_and_why(decision: Decision, account: Make) -> None:
    reasons = [] if decision is Decision.PROMOTE else ["the disk is full", "so is the other"]
    told = account(*reasons, decision=decision, notes=("a blip",), not_covered=("web: none",))
    read = Reader(render_verdict_block(told))
    assert set(read.tags) <= OWN_TAGS
    assert read.attributes == {"class"}
    for text in (told.headline, told.subject, told.sentence, told.next_step, *reasons):
        assert text in read.texts, text
    for text in ("a blip", "web: none", "http://api/health", "0123abcd", "gate 1"):
        assert text in read.texts, text
    assert "2026-11-23 03:00:00 UTC" in read.texts
    assert ("Why" in read.texts) is bool(reasons)


def test_a_single_reason_is_told_once(account: Make) -> None:
    block = render_verdict_block(account("the disk is full"))
    assert block.count("the disk is full") == 1
    assert "Why" not in Reader(block).texts


def test_verdict_next_step_and_reasons_come_first(account: Make) -> None:
    told = account(*(f"reason {number}" for number in range(60)))
    texts = [text for text in Reader(render_page(told, None)).texts if text.strip()]
    place = [
        texts.index(text)
        for text in ("HOLD", told.subject, told.next_step, told.sentence, "reason 0", "Triggers")
    ]
    assert place == sorted(place)


def test_of_many_reasons_the_first_are_seen_and_all_are_there(account: Make) -> None:
    block = render_verdict_block(account(*(f"reason {number}" for number in range(60))))
    seen, _, hidden = block.partition("<summary>52 more</summary>")
    assert re.findall(r"reason (\d+)<", seen) == [str(number) for number in range(8)]
    assert re.findall(r"reason (\d+)<", hidden) == [str(number) for number in range(8, 60)]


def test_one_more_reason_is_not_hidden(account: Make) -> None:
    block = render_verdict_block(account(*(f"reason {number}" for number in range(9))))
    assert "reason 8" in block
    assert " more</summary>" not in block


def test_what_fired_is_told_first(account: Make, trigger: Callable[..., TriggerResult]) -> None:
    states = [TriggerState.CLEAR, TriggerState.UNOBSERVED, TriggerState.FIRED]
    told = account("x", triggers=tuple(trigger(state, name=f"of {state}") for state in states))
    texts = Reader(render_verdict_block(told)).texts
    assert [one for one in texts if one.startswith("of ")] == [
        "of fired",
        "of unobserved",
        "of clear",
    ]
    assert "0 of 4 bad" in texts


def test_everything_hostile_is_text(account: Make, trigger: Callable[..., TriggerResult]) -> None:
    told = account(
        HOSTILE,
        HOSTILE,
        notes=(HOSTILE,),
        not_covered=(HOSTILE,),
        health_endpoints={HOSTILE: HOSTILE},
        triggers=(trigger(TriggerState.FIRED, name=HOSTILE, phrase=HOSTILE, why=HOSTILE),),
        run=dict.fromkeys(("id", "environment", "release", "tier", "tool"), HOSTILE),
    )
    read = Reader(render_verdict_block(told))
    assert set(read.tags) <= OWN_TAGS
    assert read.attributes == {"class"}
    assert read.comments == []
    assert read.texts.count(HOSTILE) >= 8


@pytest.mark.parametrize("outcome", list(Outcome))
def test_whatever_a_check_left_is_text(outcome: Outcome, account: Make) -> None:
    told = with_outcomes(account("x"), ended(HOSTILE, outcome, HOSTILE), ended("other", outcome))
    left_out = PlannedCheck(id=HOSTILE, category=HOSTILE, left_out=HOSTILE)
    told = replace(told, evidence=replace(told.evidence, plan=(*told.evidence.plan, left_out)))
    draft = draft_of(
        entry(
            HOSTILE,
            log=f"{HOSTILE}\n---- Captured {HOSTILE} call ----\n{HOSTILE}\n"
            f"---- Captured requests call ----\n$ curl {HOSTILE}\n> {HOSTILE}\n",
            extras=[
                attachment(HOSTILE, name=HOSTILE, format_type="text"),
                attachment(HOSTILE, name=HOSTILE, format_type="html"),
                attachment("javascript:alert(1)", name=HOSTILE, format_type="url"),
                attachment("data:text/html,<script>alert(1)</script>", format_type="url"),
                attachment("//elsewhere/", name="elsewhere", format_type="url"),
                attachment(f'{PNG}" onerror="alert(1)', name=HOSTILE),
                attachment("data:image/svg+xml;base64,PHN2Zz4=", name=HOSTILE),
                attachment("https://elsewhere/a.png", name=HOSTILE),
                attachment(PNG, name=HOSTILE),
            ],
        )
    )
    page = render_page(told, draft)
    read = Reader(page)
    assert set(read.tags) <= PAGE_TAGS
    assert read.tags.count("script") == 1
    assert not [name for name in read.attributes if name.startswith("on") or name == "style"]
    assert read.comments == []
    assert set(read.all_of("src")) == {PNG}
    inner = {one for one in read.all_of("href") if one.startswith("#")}
    assert set(read.all_of("href")) - inner == set()
    assert page.count(render_verdict_block(told)) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("<>&\"'/=!-ab ;#x3"))
def test_no_text_adds_a_tag(text: str, account: Make) -> None:
    before = Reader(render_verdict_block(account("x", notes=("y",)))).tags
    assert Reader(render_verdict_block(account(text or "x", notes=(text,)))).tags == before


def test_the_content_policy_names_the_pages_own_style_and_script(account: Make) -> None:
    page = render_page(account("x"), None)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("draft", [None, "", "<html></html>", '<a data-jsonblob="{nonsense">'])
def test_without_a_draft_there_is_a_page_all_the_same(draft: str | None, account: Make) -> None:
    told = with_outcomes(account("x"), ended("t.py::test_a", message="it broke"))
    page = render_page(told, draft)
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>")
    assert "it broke" in Reader(page).texts
    assert page.count(render_verdict_block(told)) == 1


def test_checks_stand_with_the_worst_first(account: Make) -> None:
    order = [Outcome.ERROR, Outcome.FAILED, Outcome.WARNED, Outcome.FLAKY, Outcome.NOT_RUN]
    told = with_outcomes(
        account("x"),
        *(ended(f"t.py::test_{one}", one) for one in (*reversed(order), Outcome.PASSED)),
    )
    read = Reader(render_page(told, None))
    assert read.all_of("data-outcome") == [*map(str, order), "passed"]


def test_what_was_left_undone_for_one_reason_is_told_once(account: Make) -> None:
    told = with_outcomes(
        account("x"),
        *(ended(f"t.py::test_{number}", Outcome.NOT_RUN, "it is dead") for number in range(21)),
        ended("t.py::test_skipped", Outcome.SKIPPED, "not here"),
    )
    skipped = entry("t.py::test_3", result="Skipped", log="('a.py', 1, 'Skipped: it is dead')")
    page = render_page(told, draft_of(skipped))
    assert page.count("it is dead") == 1
    texts = Reader(page).texts
    assert "21 not run" in texts
    assert ": it is dead" in texts
    assert ": not here" in texts


def test_names_are_words_and_their_parameters_as_they_are(account: Make) -> None:
    told = with_outcomes(account("x"), ended("a/test_x.py::TestIt::test_is_up[api_service-1]"))
    texts = Reader(render_page(told, None)).texts
    assert " TestIt: is up [api_service-1]" in texts
    assert "a/test_x.py::TestIt::test_is_up[api_service-1], api, 100 ms" in texts


@pytest.mark.parametrize(
    ("size", "titles"),
    [
        (10, [(" open", "3 requests and answers")]),
        (1500, [(" open", "the last 2 requests and answers"), ("", "1 before")]),
        (5000, [(" open", "the last request and answer"), ("", "2 before")]),
    ],
)
def test_the_last_requests_of_a_failure_are_seen_with_their_commands(
    size: int, titles: list[tuple[str, str]], account: Make
) -> None:
    log = "\n\n".join(f"$ curl http://a/{number}\n> GET /\n< {'x' * size}" for number in "123")
    log = f"E why\n--- Captured requests call ---\n{log}"
    told = with_outcomes(account("x"), ended("t.py::test_a"))
    page = render_page(told, draft_of(entry("t.py::test_a", log=log)))
    summaries = re.findall(r"<details( open)?><summary>(.*?)</summary>\n<pre", page)
    assert summaries == [(" open", "what it said"), *titles]
    commands = re.findall(r'<code class="command">(.*?)</code>', page)
    assert sorted(commands) == [f"curl http://a/{number}" for number in "123"]


def test_a_long_log_keeps_its_last_requests(account: Make) -> None:
    log = "\n\n".join(
        f"$ curl http://a/{number}\n> GET http://a/{number}\n< {'x' * 2000}" for number in range(99)
    )
    told = with_outcomes(account("x"), ended("t.py::test_a"))
    page = render_page(
        told, draft_of(entry("t.py::test_a", log=f"E why\n--- Captured requests call ---\n{log}"))
    )
    assert len(page) < 90_000
    assert "http://a/98" in page
    assert "http://a/1<" not in page
    assert f"({len(log)} characters)" in page


def test_a_page_of_much_stays_small_and_shows_each_check_a_picture_first(account: Make) -> None:
    names = [f"t.py::test_{number:03}" for number in range(50)]
    large = f"data:image/png;base64,{'A' * 40_000}"
    told = with_outcomes(account("x"), *map(ended, names))
    page = render_page(
        told,
        draft_of(
            *(
                entry(name, log='"' * 30_000, extras=[attachment(large, name="a")] * 3)
                for name in names
            )
        ),
    )
    assert len(page) < 5_000_000
    articles = page.split("<article")[1:]
    assert {article.count("<img") for article in articles} == {1, 2}
    assert "1 more picture: no room was left" in articles[0]


def test_a_single_picture_is_shown_whatever_its_size(account: Make) -> None:
    large = f"data:image/png;base64,{'A' * 4_000_000}"
    told = with_outcomes(account("x"), ended("t.py::test_a"))
    page = render_page(told, draft_of(entry("t.py::test_a", extras=[attachment(large)])))
    assert page.count("<img") == 1
