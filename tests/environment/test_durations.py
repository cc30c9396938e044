"""Spans of time, read and written."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import format_duration, parse_duration

DURATIONS = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=366))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("500ms", 0.5),
        ("10m", 600),
        ("2h", 7200),
        ("5 minutes", 300),
        ("2 hours", 7200),
        ("1 minute", 60),
        ("1m30s", 90),
        ("1 h 30 min", 5400),
        ("1.5s", 1.5),
        ("  5   MINUTES ", 300),
        ("1 day", 86400),
    ],
)
def test_the_runbooks_durations_are_understood(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@given(DURATIONS)
def test_every_duration_that_is_written_is_read_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(DURATIONS)
def test_case_and_space_do_not_matter(duration: timedelta) -> None:
    written = format_duration(duration)
    assert parse_duration(f" {written.upper().replace(' ', '  ')} ") == duration


@pytest.mark.parametrize("text", ["30", "1.5", " 5 "])
def test_a_number_without_a_unit_is_refused_with_the_unit_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=rf"has no unit. Write {text.strip()}s for seconds"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "0 minutes", "0.0000001s", "0h0m"])
def test_nothing_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="isn't above zero"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "-5s", "5 parsecs", "5s 1m", "5s5s", "1e3s", "٣s", "five minutes", "5 m s", "s"]
)
def test_anything_else_is_refused_with_the_forms_that_are_understood(text: str) -> None:
    with pytest.raises(ValueError, match="isn't understood as a duration"):
        parse_duration(text)


def test_a_duration_beyond_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a year"):
        parse_duration("999999999 days")


@given(st.text())
def test_no_text_raises_anything_but_a_value_error(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert duration > timedelta()
