"""Elements of a page, as files write them."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import Element
from deployment_gate.environment.elements import KINDS, LABEL, ROLES, TEXT, read_element

WORDS = st.text(min_size=1).filter(str.strip)
PATTERNS = st.sampled_from(["^a+$", r"[0-9]+ results", "x|y", "(?i)sign in", "a{2}"])


def _elements(inside: st.SearchStrategy[Element | None]) -> st.SearchStrategy[Element]:
    nth = st.none() | st.integers(1, 99)
    named = st.builds(
        Element, st.sampled_from(KINDS), WORDS, pattern=st.none(), nth=nth, inside=inside
    )
    alike = st.builds(
        Element, st.sampled_from(KINDS), st.none(), pattern=PATTERNS, nth=nth, inside=inside
    )
    any_of_a_role = st.builds(
        Element, st.sampled_from(ROLES), st.none(), pattern=st.none(), nth=nth, inside=inside
    )
    return named | alike | any_of_a_role


ELEMENTS = st.recursive(_elements(st.none()), _elements, max_leaves=4)


@given(element=ELEMENTS)
def test_what_is_written_is_read_as_the_same(element: Element) -> None:
    assert read_element(element.written()) == element
    assert read_element(element) is element


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(string.ascii_letters),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(st.sampled_from([*KINDS, "nth", "inside", "matches"]), below)
        ),
        max_leaves=6,
    )
)
def test_whatever_is_written_is_read_or_refused_with_its_form(value: Any) -> None:
    told = ""
    try:
        told = str(read_element(value))
    except ValueError as error:
        told = str(error)
    assert told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"button": "Sign in"}, 'button "Sign in"'),
        ({"link": None, "nth": 2}, "2. link"),
        ({"text": {"matches": "^[0-9]+$"}}, "text like /^[0-9]+$/"),
        (
            {"link": "Search", "inside": {"listitem": None, "inside": {"navigation": "Main"}}},
            'link "Search" in listitem in navigation "Main"',
        ),
    ],
)
def test_an_element_is_told_as_people_call_it(written: dict[str, Any], told: str) -> None:
    assert str(read_element(written)) == told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Sign in", '"Sign in" doesn\'t say what people see. Write it as in {button: Sign in}'),
        (None, "must say what people see"),
        ([{"button": "a"}], "must say what people see"),
        ({}, "must name one thing"),
        ({"nth": 2}, "must name one thing"),
        ({"button": "a", "text": "b"}, "must name one thing"),
        ({"buttn": "a"}, '"buttn" is nothing that people see. Did you mean button'),
        ({"css": ".a"}, "Write a role of ARIA, `label` or `text`"),
        ({"button": "a", "nht": 2}, "Did you mean nth?"),
        ({"button": "a", "insied": {"main": None}}, "Did you mean inside?"),
        ({"button": 5}, "takes its name in words, nothing for any name, or {matches:"),
        ({"button": " "}, "takes its name in words"),
        ({"button": {"matches": "a", "flags": "i"}}, "takes its name in words"),
        ({"button": {"matches": "("}}, '"(" is no regular expression'),
        ({"button": {"matches": "No. {{id}}"}}, "is a pattern, which nothing is filled into"),
        ({"button": "a", "nth": 0}, "`nth` takes a whole number from 1 on"),
        ({"button": "a", "nth": True}, "`nth` takes a whole number from 1 on"),
        ({"button": "a", "nth": "2"}, "`nth` takes a whole number from 1 on"),
        ({LABEL: None}, "`label` needs its words"),
        ({TEXT: None}, "`text` needs its words"),
        ({"link": "a", "inside": "main"}, "`inside` takes what it stands in. Write it as in {link"),
        ({"link": "a", "inside": {}}, "must name one thing"),
    ],
)
def test_what_is_no_element_is_refused_with_what_would_be(written: object, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read_element(written)


def test_its_templates_are_its_words_and_those_around_it() -> None:
    element = read_element({"link": "{{title}}", "inside": {"region": "No. {{id}}"}})
    assert list(element.templates()) == ["{{title}}", "No. {{id}}"]
