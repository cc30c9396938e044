"""Files that extend one another, and tables written as lists."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import Environment, Position
from deployment_gate.environment.inheritance import merge
from deployment_gate.environment.yaml_source import Node

SCALARS = st.booleans() | st.integers() | st.text(max_size=3)
DATA: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner)
        ),
        max_leaves=6,
    ),
)

NAMES = st.sampled_from("abc")
TABLES = st.dictionaries(NAMES, st.dictionaries(NAMES, SCALARS))


def node(data: object, file: str = "file") -> Node:
    """Build a node from plain data."""
    place = Position(file, 1)
    if isinstance(data, dict):
        return Node({key: node(value, file) for key, value in data.items()}, place)
    if isinstance(data, list):
        return Node(tuple(node(value, file) for value in data), place)
    assert data is None or isinstance(data, str | int | float | bool)
    return Node(data, place)


def merged(inherited: object, own: object) -> object:
    """Merge plain data."""
    return merge(node(inherited), node(own)).plain()


@given(DATA)
def test_extending_with_nothing_changes_nothing(data: dict[str, Any]) -> None:
    assert merged(data, {}) == data
    assert merged({}, data) == data


@given(DATA)
def test_extending_with_itself_changes_nothing(data: dict[str, Any]) -> None:
    assert merged(data, data) == data


@given(DATA, DATA)
def test_extending_twice_with_the_same_is_extending_once(
    inherited: dict[str, Any], own: dict[str, Any]
) -> None:
    once = merged(inherited, own)
    assert merged(once, own) == once


@given(TABLES, TABLES, TABLES)
def test_a_chain_of_tables_merges_alike_from_either_end(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    from_base = merged(merged(first, second), third)
    from_tip = merged(first, merged(second, third))
    assert from_base == from_tip


@given(DATA, st.sampled_from("abc"))
def test_null_removes_what_is_inherited(data: dict[str, Any], key: str) -> None:
    expected = {name: value for name, value in data.items() if name != key}
    assert merged({key: 1, **data}, {key: None}) == expected


@given(DATA, DATA)
def test_each_value_keeps_the_file_that_it_came_from(
    inherited: dict[str, Any], own: dict[str, Any]
) -> None:
    whole = merge(node(inherited, "inherited"), node(own, "own"))
    own_paths = {path for path, _ in node(own).walk()}
    for path, found in whole.walk():
        if not isinstance(found.value, dict):
            assert found.position.file == ("own" if path in own_paths else "inherited")


def test_lists_replace_and_maps_merge() -> None:
    inherited = {"a": {"x": 1, "y": [1, 2]}}
    assert merged(inherited, {"a": {"y": [3], "z": 4}}) == {"a": {"x": 1, "y": [3], "z": 4}}


def test_a_list_of_one_key_maps_is_the_map(load: Callable[..., Environment], minimal: str) -> None:
    as_list = load(
        minimal + "rollback_triggers:\n  errors:\n"
        '    - condition: "Error rate > 5% for 2 minutes"\n    - action: hold\n    - timeout: 2m\n'
        "monitoring_metrics:\n  - health:\n      - uptime: 99.9% target\n"
    )
    as_map = load(
        minimal + "rollback_triggers:\n  errors:\n"
        '    condition: "Error rate > 5% for 2 minutes"\n    action: hold\n    timeout: 2m\n'
        "monitoring_metrics:\n  health:\n    uptime: 99.9% target\n"
    )
    assert as_list == as_map


def test_a_key_twice_in_a_list_is_told_with_both_lines(
    complaint: Callable[..., str], minimal: str
) -> None:
    told = complaint(
        minimal + "rollback_triggers:\n  errors:\n"
        '    - condition: "Error rate > 5% for 2 minutes"\n    - action: hold\n'
        "    - timeout: 2m\n    - timeout: 3m\n"
    )
    assert told == (
        "here.yaml:9: rollback_triggers.errors.timeout: this key stands twice, first at line 8. "
        "Remove one"
    )


def test_an_entry_of_several_keys_in_a_list_is_told(
    complaint: Callable[..., str], minimal: str
) -> None:
    told = complaint(
        minimal + "rollback_triggers:\n  errors:\n"
        '    - condition: "Error rate > 5% for 2 minutes"\n      action: hold\n    - timeout: 2m\n'
    )
    assert told == (
        "here.yaml:6: rollback_triggers.errors: each entry of this list must be one "
        "`- key: value`. Or write a map"
    )
