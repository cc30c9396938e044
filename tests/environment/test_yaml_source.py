"""YAML with the line of every key."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import EnvironmentFileError
from deployment_gate.environment.yaml_source import read_yaml, typed_scalar

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8).filter(lambda key: key != "<<"), inner, max_size=3)
    ),
    max_leaves=8,
)
# Nine lists of nine aliases each, 9^9 entries once they are followed ("billion laughs").
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghi")
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its YAML."""
    return tmp_path / "here.yaml"


@given(data=st.dictionaries(st.text("abc", min_size=1), PLAIN, max_size=3))
def test_plain_data_are_read_as_they_were_written(
    data: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "plain.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=False), encoding="utf-8")
    node, problems = read_yaml(file)
    assert (node.plain(), problems) == (data, [])


def test_every_entry_knows_the_line_of_its_key(file: Path) -> None:
    file.write_text("a: 1\nb:\n  c:\n    - x\n    - y\n", encoding="utf-8")
    lines = {path: node.position.line for path, node in read_yaml(file)[0].walk()}
    assert lines == {(): 1, ("a",): 1, ("b",): 2, ("b", "c"): 3} | {
        ("b", "c", "0"): 4,
        ("b", "c", "1"): 5,
    }


def test_a_duplicate_key_is_a_problem_with_both_lines(file: Path) -> None:
    file.write_text("a: 1\nb: 2\na: 3\n", encoding="utf-8")
    _, (problem,) = read_yaml(file)
    assert str(problem) == f"{file}:3: a: this key stands twice, first at line 1. Remove one"


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", "yes"), ("on", "on"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("1.5", 1.5)],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    assert typed_scalar(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "isn't YAML"),
        ("a: 1\n b: 2", "isn't YAML"),
        ("a: 1\n---\nb: 2", "isn't YAML"),
        ("a: \x00", "isn't YAML"),
        ("a: *b", "isn't YAML"),
        ("&a [*a]", "nested too deeply"),
        ("[" * 5000 + "]" * 5000, "deep"),
        (ALIASES, "too large"),
    ],
)
def test_what_is_no_yaml_is_one_error_with_its_line(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentFileError, match=message):
        read_yaml(file)


def test_other_encodings_are_refused(file: Path) -> None:
    file.write_bytes(b"a: \xff")
    with pytest.raises(EnvironmentFileError, match="isn't UTF-8"):
        read_yaml(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<: {a: 1}", "merge keys"),
        ("[a]: 1", "a key must be text"),
        ("a: !secret x", "the tag !secret"),
    ],
)
def test_what_has_no_meaning_here_is_a_problem(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    _, (problem,) = read_yaml(file)
    assert message in str(problem)


@given(content=st.binary(max_size=60) | st.text("ab:-[]{}&*!|>'\" \n#?", max_size=60))
def test_no_content_raises_anything_but_an_environment_file_error(
    content: bytes | str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = f"{file}: is YAML"
    try:
        read_yaml(file)
    except EnvironmentFileError as error:
        told = str(error)
    assert told.startswith(f"{file}:")
