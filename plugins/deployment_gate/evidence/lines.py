"""One record of evidence as one line of JSON, and back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any, TypeAlias

from pydantic_core import from_json

from deployment_gate.evidence.finding import Finding, FindingSeverity
from deployment_gate.evidence.observation import Observation, ObservationKind
from deployment_gate.evidence.record import (
    Baseline,
    CheckOutcome,
    GivenVerdict,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
    Severity,
)

Record: TypeAlias = (
    Run | Baseline | PlannedCheck | Observation | Finding | CheckOutcome | RunEnd | GivenVerdict
)

FORMAT = 1
"""Version of the line format, written with the run; a reader refuses what it doesn't know."""

_TYPES: dict[str, type[Record]] = {
    "run": Run,
    "baseline": Baseline,
    "check": PlannedCheck,
    "observation": Observation,
    "finding": Finding,
    "outcome": CheckOutcome,
    "end": RunEnd,
    "verdict": GivenVerdict,
}
_NAMES = {record_type: name for name, record_type in _TYPES.items()}
_DEFAULTS = {
    record_type: {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(record_type)
        if (field.default, field.default_factory) != (MISSING, MISSING)
    }
    for record_type in _NAMES
}


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return moment


def _text(value: str) -> str:
    # One copy of what thousands of lines repeat; a TypeError for what is no text.
    return sys.intern(value)


def _number(value: float) -> float:
    if type(value) not in {int, float} or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _facts(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError(f"{value!r} are no facts")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if type(value) is not list:
        raise ValueError(f"{value!r} is no list of texts")
    return tuple(map(_text, value))


def _maybe_text(value: str | None) -> str | None:
    return None if value is None else sys.intern(value)


def _maybe_whole(value: object) -> int | None:
    return None if value is None else _whole(value)


# Evidence may have been edited, or be another tool's: what judges it relies on these types.
_PARSERS: dict[type[Record], dict[str, Callable[[Any], Any]]] = {
    Run: {
        **dict.fromkeys(("id", "environment", "tool", "by"), _text),
        **dict.fromkeys(("release", "tier", "selection"), _maybe_text),
        "started": _time,
    },
    Baseline: {
        "run": _text,
        "at": _time,
        "release": _maybe_text,
        **dict.fromkeys(("failed", "unwell"), _texts),
        **dict.fromkeys(("answers", "errors"), _whole),
    },
    PlannedCheck: {
        **dict.fromkeys(("id", "category"), _text),
        **dict.fromkeys(("subject", "trigger", "left_out"), _maybe_text),
        "severity": Severity,
    },
    Observation: {
        "at": _time,
        "kind": {kind.value: kind for kind in ObservationKind}.__getitem__,
        "subject": _text,
        "duration_s": _number,
        "status": _maybe_whole,
        **dict.fromkeys(("error", "unobserved", "check"), _maybe_text),
        "facts": _facts,
    },
    Finding: {
        **dict.fromkeys(
            ("rule", "title", "detail", "source", "remedy", "check", "exchange", "curl"), _text
        ),
        "severity": FindingSeverity,
        "places": _texts,
        "at": _time,
        "attempt": _whole,
    },
    CheckOutcome: {
        **dict.fromkeys(("id", "message"), _text),
        "outcome": Outcome,
        "at": _time,
        "duration_s": _number,
    },
    RunEnd: {
        "at": _time,
        "exit_status": _whole,
        "trouble": _texts,
    },
    GivenVerdict: dict.fromkeys(("verdict", "sentence"), _text),
}


# What some readers take for the end of a line, beside the control characters that JSON escapes.
_LINE_ENDS = {ord(one): f"\\u{ord(one):04x}" for one in "\x85\u2028\u2029"}


class UnknownFormatError(ValueError):
    """Evidence of a version of the format that this one doesn't know."""


def encode(record: Record) -> str:
    """One record as one JSON line; fields that have their default are left out."""
    data: dict[str, Any] = {"type": _NAMES[type(record)]}
    if isinstance(record, Run):
        data["format"] = FORMAT
    defaults = _DEFAULTS[type(record)]
    for name in record.__slots__:
        value = getattr(record, name)
        if name not in defaults or value != defaults[name]:
            data[name] = value
    line = json.dumps(data, default=_encode_value, ensure_ascii=False)
    return line if line.isascii() else line.translate(_LINE_ENDS)


def _encode_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return value.value
    return dict(value)  # type: ignore[call-overload]  # facts: any mapping


def decode(line: str | bytes) -> Record:
    """The record that a line holds; the inverse of `encode`.

    Raises:
        UnknownFormatError: The run was written in another version of the format.
        ValueError: The line is not a whole record.
    """
    # Three times as fast as json.loads, which would be half of all that judging again costs.
    data = from_json(line)
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # the line's fault, not a type's
    record_type = _TYPES[data.pop("type")]
    if record_type is Run:
        version = data.pop("format")
        if version != FORMAT:
            raise UnknownFormatError(f"written in format {version}, not of format {FORMAT}")
    parsers = _PARSERS[record_type]
    for name, value in data.items():
        if name in parsers:
            data[name] = parsers[name](value)
    return record_type(**data)
