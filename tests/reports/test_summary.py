"""`summary.md`, read by an independent Markdown reader."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from deployment_gate.evidence import Evidence, PlannedCheck
from deployment_gate.judgement import TriggerResult
from deployment_gate.reports.account import Account
from deployment_gate.reports.summary import render_summary

Make = Callable[..., Account]
PLAIN = {"text", "softbreak", "text_special"}


def blocks(text: str) -> list[Token]:
    """The blocks that GitHub's Markdown sees."""
    return MarkdownIt("gfm-like", {"linkify": False}).parse(text)


def items(text: str) -> list[str]:
    """The texts of all list items; an item that isn't plain text is an error."""
    tokens = blocks(text)
    found = []
    for before, token in pairwise(tokens):
        if token.type == "paragraph_open" and before.type == "list_item_open":
            inline = tokens[tokens.index(token) + 1]
            assert {child.type for child in inline.children or []} <= PLAIN, inline.content
            found.append("".join(child.content for child in inline.children or []))
    return found


def test_a_hold_tells_why_and_what_else(
    account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    text = render_summary(
        account(
            "the disk is full",
            "t::a failed",
            notes=("a blip",),
            not_covered=("web: no section",),
            triggers=(trigger(), trigger(name="errors", phrase="Error rate > 5%")),
        )
    )
    assert text.startswith("# HOLD: staging, release 1.5.0, smoke\n")
    assert items(text) == [
        "hold: the disk is full",
        "hold: t::a failed",
        "a blip",
        "web: no section",
    ]
    assert "| errors | clear | 0 | 4 | Error rate > 5% |" in text
    assert "Checks: 2 passed, of 2. 1 observations in 12.3 s, from 2026-11-23 03:00:00 UTC." in text
    assert text.endswith("Run 0123abcd, gate 1.\n")


def test_a_promote_has_no_reasons(account: Make) -> None:
    text = render_summary(account())
    assert "## Why" not in text
    assert "**2 of 2 checks passed, all 1 triggers are clear.** Promote it" in text


def test_at_most_twenty_of_a_kind_are_listed(account: Make) -> None:
    text = render_summary(account(*[f"reason {number}" for number in range(23)]))
    assert len(items(text)) == 21
    assert items(text)[-1] == "and 3 more"


def test_checks_that_were_left_out_are_told_with_the_reason(account: Make) -> None:
    some = account()
    out = PlannedCheck(id="t::writes[x]", category="api", left_out="writes aren't allowed here")
    evidence = Evidence(run=some.run, plan=(*some.evidence.plan, out), end=some.evidence.end)
    text = render_summary(account(evidence=evidence))
    assert items(text) == ["t::writes[x]: writes aren't allowed here"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a | b | c",
        "**bold** and _it_ and `code`",
        "[text](http://evil)",
        "![image](http://evil)",
        "two\n\n# lines",
        "a \\ b",
        "&lt;script&gt; &amp;",
        "~~gone~~",
        "snake_case_name of __init__",
        "$x$ #1",
    ],
)
def test_what_looks_like_markup_stays_text(text: str, account: Make) -> None:
    written = render_summary(account(f"why: {text}"))
    assert items(written) == [f"hold: why: {' '.join(text.split())}"]
    assert [token.type for token in blocks(written)].count("heading_open") == 2


@pytest.mark.parametrize(
    "text",
    ["# heading", "- item", "> quote", "1. one", "2026) year", "    code", "+ x", "---", "~~~"],
)
def test_a_text_at_the_beginning_of_an_item_stays_text(text: str, account: Make) -> None:
    written = render_summary(account(notes=(text,)))
    assert items(written) == [text.strip()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("ab <>&;*_`[]()!|\\~#-+.1\n\"'{}$^=@:/", min_size=1))
def test_no_text_is_markup(text: str, account: Make) -> None:
    for told in (account(f"x{text}x"), account("x", notes=(f"{text}x",))):
        expected = [*(f"hold: {reason.text}" for reason in told.reasons), *told.verdict.notes]
        assert items(render_summary(told)) == [" ".join(one.split()) for one in expected]


def test_a_condition_with_a_bar_keeps_its_table_whole(
    account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    text = render_summary(account(triggers=(trigger(phrase="a | b"),)))
    tokens = blocks(text)
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type == "td_open"]
    assert (len(rows), len(cells)) == (2, 5)
