"""Spans of time as the runbook writes them: `30s`, `500ms`, `5 minutes`, `1m30s`."""

import re
from datetime import timedelta
from decimal import Decimal

from deployment_gate.environment.variables import as_written

# duration ::= part { part }        the units in falling order, each once
# part     ::= NUMBER UNIT
# NUMBER   ::= digits [ "." digits ]
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_UNITS = (
    ("days", r"d|days?", timedelta(days=1)),
    ("hours", r"h|hours?", timedelta(hours=1)),
    ("minutes", r"m|min|minutes?", timedelta(minutes=1)),
    ("seconds", r"s|sec|seconds?", timedelta(seconds=1)),
    ("milliseconds", r"ms|milliseconds?", timedelta(milliseconds=1)),
)
# For grammars that have a duration as a part: any of its words, judged by `parse_duration` later.
DURATION = rf"{_NUMBER} ?[a-z]+(?: ?{_NUMBER} ?[a-z]+)*"
_DURATION = re.compile(
    " ?".join(rf"(?:(?P<{name}>{_NUMBER}) ?(?:{words})(?![a-z]))?" for name, words, _ in _UNITS),
    re.IGNORECASE | re.ASCII,
)
_LONGEST = timedelta(days=366)
DURATION_FORMS = ("30s", "500ms", "10m", "2h", "5 minutes", "1m30s")


def parse_duration(text: str) -> timedelta:
    """Read a span of time.

    Raises:
        ValueError: It isn't understood, has no unit, or isn't above zero.

    >>> parse_duration("1m30s").total_seconds()
    90.0
    """
    tidy = " ".join(text.split())
    found = _DURATION.fullmatch(tidy)
    if found is None or not tidy:
        if re.fullmatch(r"[0-9.]+", tidy):
            raise ValueError(_without_unit(as_written(text), tidy))
        raise ValueError(
            f"{as_written(text)} isn't understood as a duration. "
            f"Write it as in {', '.join(DURATION_FORMS)}"
        )
    microseconds = sum(
        Decimal(found[name]) * (unit // timedelta(microseconds=1))
        for name, _, unit in _UNITS
        if found[name] is not None
    )
    if microseconds > _LONGEST // timedelta(microseconds=1):
        raise ValueError(f"{as_written(text)} is longer than a year. Write a shorter duration")
    if round(microseconds) < 1:
        raise ValueError(f"{as_written(text)} isn't above zero. Write a duration such as 30s")
    return timedelta(microseconds=round(microseconds))


def read_duration(value: object) -> timedelta:
    """Read a span of time from a YAML value; a bare number is refused, for its unit is unknown."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(_without_unit(str(value), str(value)))  # noqa: TRY004 - pydantic's protocol
    if not isinstance(value, str):
        raise ValueError(f"must be a duration. Write it as in {', '.join(DURATION_FORMS)}")  # noqa: TRY004
    return parse_duration(value)


def format_duration(duration: timedelta) -> str:
    """Write a span of time in the words that `parse_duration` reads.

    >>> format_duration(timedelta(seconds=90)), format_duration(timedelta(milliseconds=500))
    ('1 minute 30 seconds', '500 ms')
    """
    parts, rest = [], duration
    for name, _, unit in _UNITS[:-1]:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count} {name if count > 1 else name.removesuffix('s')}")
    if rest:
        parts.append(f"{Decimal(rest // timedelta(microseconds=1)) / 1000:f} ms")
    return " ".join(parts)


def _without_unit(shown: str, number: str) -> str:
    return f"{shown} has no unit. Write {number.lstrip('-') or 30}s for seconds, or 500ms, 10m, 2h"
