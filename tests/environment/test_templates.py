"""Places for values in texts and JSON."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import fill, fill_text, names_in

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab{} $"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


def test_a_text_that_is_nothing_but_a_place_keeps_the_values_type() -> None:
    assert fill({"id": "{{id}}", "ids": ["{{ id }}"]}, {"id": 7}) == {"id": 7, "ids": [7]}


def test_a_place_in_a_longer_text_becomes_text() -> None:
    assert fill("No. {{id}} of {{id}}", {"id": 7}) == "No. 7 of 7"


def test_keys_have_places_too() -> None:
    assert fill({"{{name}}": 1}, {"name": "a"}) == {"a": 1}


def test_values_in_addresses_are_quoted() -> None:
    filled = fill_text("/a/{{id}}", {"id": "b/c d"}, quote=lambda text: quote(text, safe=""))
    assert filled == "/a/b%2Fc%20d"


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="id"):
        fill("{{id}}", {})


def test_names_are_found_at_any_depth() -> None:
    found = list(names_in({"{{a}}": ["{{b}} {{c}}", ("{{d}}",)], "e": 1}))
    assert found == ["a", "b", "c", "d"]


@given(JSON)
def test_what_has_no_places_stays_as_it_is(document: object) -> None:
    if not list(names_in(document)):
        assert fill(document, {}) == document


@given(st.text(), st.text())
def test_a_value_is_not_read_as_a_template(before: str, value: str) -> None:
    if not list(names_in(before)):
        assert fill_text(f"{before}{{{{a}}}}", {"a": value}) == f"{before}{value}"
