"""What is there is found, and only that, whatever somebody types (runbook 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import ApiTarget, Page

pytestmark = pytest.mark.needs("api.search")

SERVER_ERROR = 500

# What people type and paste, and what breaks a query that is put together carelessly.
ODD = {
    "an apostrophe": "O'Brien",
    "two quotes": 'the "policy"',
    "a percent sign": "100%",
    "an underscore": "a_b",
    "a backslash": "C:\\policies",
    "a comment of SQL": "policy--",
    "a semicolon": "policy; policy",
    "operators": "policy AND (NOT",
    "an asterisk": "poli*",
    "markup": "<b>policy</b>",
    "a line break": "policy\npolicy",
    "spaces": "   ",
    "an ampersand": "terms & conditions",
    "a combining mark": "politique\u0301",
    "right to left": "سياسة",
    "an emoji": "🔒",
    "a full-width word": "ｐｏｌｉｃｙ",
    "a NUL": "policy\0",
}


@pytest.mark.smoke
def test_what_is_there_is_found(search: Callable[[str], Page], api_target: ApiTarget) -> None:
    assert api_target.search
    nothing = [term for term in api_target.search.finds if not search(term).items]

    assert not nothing, f"a search for {nothing[0]!r} finds nothing"


@pytest.mark.smoke
def test_what_is_not_there_is_not_found(
    search: Callable[[str], Page], api_target: ApiTarget
) -> None:
    assert api_target.search
    term = api_target.search.finds_not

    found = search(term).items

    assert not found, f"a search for {term!r} finds {len(found)} items"


@pytest.mark.provokes
@pytest.mark.parametrize("term", ODD.values(), ids=ODD)
def test_odd_signs_break_nothing(search: Callable[[str], Page], term: str) -> None:
    status = search(term).answer.status_code

    assert status < SERVER_ERROR, f"a search for {term!r} was answered {status}"


@pytest.mark.provokes
def test_refused_terms_show_nothing_of_the_inside(
    search: Callable[[str], Page], internals_in: Callable[[str], list[str]]
) -> None:
    for name, term in ODD.items():
        answer = search(term).answer
        if not answer.is_success:
            found = internals_in(answer.text)
            assert not found, f"the error for a term with {name} shows {found[0]}"


@pytest.mark.provokes
def test_an_empty_term_is_refused_or_finds_a_list(search: Callable[[str], Page]) -> None:
    page = search("")

    assert page.answer.is_client_error or isinstance(page.items, list)


@pytest.mark.provokes
def test_a_long_term_breaks_nothing(search: Callable[[str], Page]) -> None:
    # 6 KiB: below the 8 KiB that servers take of a request line.
    status = search("policy " * 900).answer.status_code

    assert status < SERVER_ERROR, f"a search for 6300 letters was answered {status}"
