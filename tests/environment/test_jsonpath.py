"""JSONPath queries: known to be right when a file is read, and selecting what RFC 9535 says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import JsonPath
from deployment_gate.environment.jsonpath import parse_jsonpath

SHOP = {"orders": [{"id": 1, "tags": ["new"]}, {"id": 2, "tags": []}], "total": 2, "next": None}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("$", [SHOP]),
        ("$.total", [2]),
        ("$.next", [None]),
        ("$.missing", []),
        ("$.orders[1].id", [2]),
        ("$.orders[*].id", [1, 2]),
        ("$['orders'][0].tags[0]", ["new"]),
        ("$..id", [1, 2]),
        ("$.orders[?@.id > 1].id", [2]),
        ("$.orders[-1].id", [2]),
    ],
)
def test_a_query_selects_what_the_rfc_says(query: str, values: list[object]) -> None:
    assert parse_jsonpath(query).values(SHOP) == values


@pytest.mark.parametrize("text", ["", "total", "$.", "$[", "$.a[", "$.a b", "$..", "$.a[?]"])
def test_what_is_no_query_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no JSONPath: .*\$\.items\[0\]\.id"):
        parse_jsonpath(text)


@pytest.mark.parametrize(
    ("query", "is_singular"),
    [("$.a.b[0]", True), ("$['a']", True), ("$.a[*]", False), ("$..a", False), ("$.a[0,1]", False)],
)
def test_a_query_knows_whether_it_selects_one_value(query: str, *, is_singular: bool) -> None:
    assert JsonPath(query).is_singular is is_singular


STEPS = st.lists(st.sampled_from([".a", ".b", "[0]", "[1]", "[*]"]), max_size=4).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=10,
)


@given(STEPS, JSON)
def test_a_plain_query_selects_what_the_library_does(steps: str, document: Any) -> None:
    query = jsonpath_rfc9535.compile(f"${steps}")
    assert JsonPath(f"${steps}").values(document) == query.find(document).values()
    assert JsonPath(f"${steps}").is_singular is query.singular_query()


def test_a_plain_query_is_read_without_loading_the_library() -> None:
    program = (
        "import sys; from deployment_gate.environment.jsonpath import parse_jsonpath as p;"
        "p('$.a.b[0]').values({}); p('$.items[*].id').values({});"
        "assert 'jsonpath_rfc9535' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
