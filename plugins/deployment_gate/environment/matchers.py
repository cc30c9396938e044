"""What a value must be: `active`, or `{at_least: 1, type: integer}`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.variables import as_written

JSON_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class Word(StrEnum):
    """What can be asked of a value."""

    EQUALS = "equals"
    NOT = "not"
    CONTAINS = "contains"
    MATCHES = "matches"
    COUNT = "count"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXISTS = "exists"
    TYPE = "type"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class Matcher:
    """All of these must hold of a value; `EACH` holds a matcher for every value of a list."""

    demands: tuple[tuple[Word, Any], ...]

    def written(self) -> object:
        """Answer the matcher as a file has it."""
        return {
            word.value: value.written() if isinstance(value, Matcher) else value
            for word, value in self.demands
        }


def read_matcher(value: object) -> Matcher:
    """Read what a value must be: a map of the words, or else the value that it must equal.

    Raises:
        ValueError: A word isn't known, or asks for something that can't be.
    """
    if isinstance(value, Matcher):
        return value
    if not isinstance(value, Mapping) or not set(value) & set(Word):
        return Matcher(((Word.EQUALS, value),))
    for key in value:
        if key not in set(Word):
            raise ValueError(
                f"{as_written(key)} can't be asked of a value.{did_you_mean(str(key), Word)} "
                f"Known: {', '.join(Word)}. A map that must be equaled stands under `equals`"
            )
    return Matcher(tuple((Word(key), _READ[Word(key)](item)) for key, item in value.items()))


def _pattern(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("`matches` takes a regular expression in quotes")  # noqa: TRY004
    if not any(names_in(value)):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(
                f"`matches`: {as_written(value)} is no regular expression: {error}"
            ) from error
    return value


def _count(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("`count` takes a whole number, 0 or more")
    return value


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("`exists` takes true or false")  # noqa: TRY004
    return value


def _type(value: object) -> object:
    if value not in JSON_TYPES:
        raise ValueError(f"`type` takes one of {', '.join(JSON_TYPES)}")
    return value


def _anything(value: object) -> object:
    return value


_READ: Mapping[Word, Callable[[object], object]] = {
    Word.EQUALS: _anything,
    Word.NOT: _anything,
    Word.CONTAINS: _anything,
    Word.MATCHES: _pattern,
    Word.COUNT: _count,
    Word.AT_LEAST: _anything,
    Word.AT_MOST: _anything,
    Word.EXISTS: _flag,
    Word.TYPE: _type,
    Word.EACH: read_matcher,
}
