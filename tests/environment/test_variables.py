"""References to the process environment."""

import copy
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment.variables import Substituted, as_written, substitute


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${HOST}", "api"),
        ("http://${HOST}:${PORT:-80}/", "http://api:80/"),
        ("${HOST:-other}", "api"),
        ("${MISSING:-}", ""),
        ("$${HOST}", "${HOST}"),
        ("$HOST costs 5$", "$HOST costs 5$"),
        ("plain", "plain"),
    ],
)
def test_references_are_replaced(text: str, value: str) -> None:
    assert substitute(text, {"HOST": "api"}) == (value, [])


def test_every_missing_variable_of_a_text_is_told() -> None:
    _, faults = substitute("${A}-${B}-${C:-c}", {})
    assert [fault.partition(" isn't set")[0] for fault in faults] == [
        "the variable A",
        "the variable B",
    ]


@pytest.mark.parametrize("text", ["${", "${}", "${a-b}", "${1A}", "${A:default}", "${A:-${B}}"])
def test_a_malformed_reference_is_told(text: str) -> None:
    _, (fault,) = substitute(text, {"A": "a"})
    assert "is no reference to a variable" in fault


@given(st.text(), st.dictionaries(st.sampled_from("ABC"), st.text()))
def test_a_value_is_never_substituted_again(text: str, variables: dict[str, str]) -> None:
    once, _ = substitute("${A:-x}" + text.replace("$", ""), variables)
    assert once == variables.get("A", "x") + text.replace("$", "")


def test_messages_show_what_the_file_says_and_not_what_a_variable_holds() -> None:
    value, _ = substitute("${TOKEN}", {"TOKEN": "hunter22"})
    assert as_written(value) == '"${TOKEN}"'


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301 - our own bytes
def test_a_copy_remembers_how_it_was_written(copied: Callable[[str], str]) -> None:
    value, _ = substitute("${TOKEN}", {"TOKEN": "hunter22"})
    again = copied(value)
    assert isinstance(again, Substituted)
    assert (str(again), again.written, again.is_whole) == ("hunter22", "${TOKEN}", True)
