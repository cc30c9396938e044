"""What the API's sections say of requests and answers: `GET /path`, and where a value stands."""

import re
from dataclasses import dataclass
from enum import StrEnum

from deployment_gate.environment.jsonpath import JsonPath, parse_jsonpath
from deployment_gate.environment.variables import as_written

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""RFC 9110, 9.2.1: the safe methods, without TRACE, which echoes credentials."""

# request ::= METHOD " " PATH
REQUEST_EXAMPLES = ("GET /api/v1/policies", "POST /api/v1/auth/login")
# source  ::= JSONPATH | "header " NAME | "cookie " NAME
SOURCE_EXAMPLES = ("$.access_token", "header ETag", "cookie session")
# told    ::= ( PATH | URL ) " " source
TOLD_EXAMPLES = ("/version $.release", "/version header X-Release")

_NAMED = re.compile(r"(header|cookie) ([!#$%&'*+.^_`|~0-9A-Za-z-]+)")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A method, and a path below the API's address; the path may have places."""

    method: str
    path: str

    @property
    def is_reading(self) -> bool:
        """Whether it asks for no change."""
        return self.method in READING

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Part(StrEnum):
    """The parts of an answer that a value can stand in."""

    BODY = "body"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value stands in an answer; `query` in a body, `name` elsewhere."""

    part: Part
    name: str = ""
    query: JsonPath | None = None

    def __str__(self) -> str:
        return str(self.query) if self.query else f"{self.part} {self.name}"


@dataclass(frozen=True, slots=True)
class Told:
    """An address, and where a fact stands in what it answers."""

    address: str
    source: Source

    def __str__(self) -> str:
        return f"{self.address} {self.source}"


def parse_request(text: str) -> RequestLine:
    """Read a method and a path.

    Raises:
        ValueError: It isn't that.
    """
    method, _, path = text.partition(" ")
    if method not in METHODS or not _is_path(path):
        raise ValueError(
            f"{as_written(text)} is no request. Write a method of {', '.join(METHODS)} and a path: "
            f"{REQUEST_EXAMPLES[0]}"
        )
    return RequestLine(method, path)


def parse_source(text: str) -> Source:
    """Read where a value stands in an answer.

    Raises:
        ValueError: It isn't understood.
    """
    if named := _NAMED.fullmatch(text):
        return Source(Part(named[1]), name=named[2])
    if text.startswith("$"):
        return Source(Part.BODY, query=parse_jsonpath(text))
    raise ValueError(
        f"{as_written(text)} is no place in an answer. Write a JSONPath or a name: "
        f"{', '.join(SOURCE_EXAMPLES)}"
    )


def parse_told(text: str) -> Told:
    """Read who tells a fact, and where in the answer.

    Raises:
        ValueError: It isn't understood.
    """
    address, _, source = text.partition(" ")
    is_address = address.startswith(("http://", "https://")) or _is_path(address)
    if not is_address or not source:
        raise ValueError(
            f"{as_written(text)} doesn't say who tells it, and where. Write an address and a "
            f"place in its answer: {TOLD_EXAMPLES[0]}"
        )
    return Told(address, parse_source(source))


def _is_path(text: str) -> bool:
    """Whether it is a path below the API's address; two slashes would begin another host."""
    return (
        text.startswith("/")
        and not text.startswith("//")
        and text.isprintable()
        and " " not in text
    )
