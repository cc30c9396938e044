"""What is there is found, and only that (runbook 4.2)."""

from collections.abc import Callable

import httpx
import pytest

pytestmark = pytest.mark.smoke


def test_search_finds_what_is_there(
    search: Callable[[str], httpx.Response], search_term: str
) -> None:
    answer = search(search_term)

    assert answer.is_success, f"the search was answered {answer.status_code}"
    assert answer.json()["items"], f"a search for {search_term!r} finds nothing"


def test_search_does_not_find_what_is_not_there(search: Callable[[str], httpx.Response]) -> None:
    answer = search("xqzzywvut")

    assert answer.is_success, f"the search was answered {answer.status_code}"
    assert not answer.json()["items"], "a search for a word of no language finds something"
