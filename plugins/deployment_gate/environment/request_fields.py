"""The kinds of values in the sections about an API: requests, places in answers, what must hold."""

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from deployment_gate.environment.fields import Written, phrase_field, text_of
from deployment_gate.environment.jsonpath import JsonPath, parse_jsonpath
from deployment_gate.environment.matchers import Matcher, read_matcher
from deployment_gate.environment.requests import (
    REQUEST_EXAMPLES,
    SOURCE_EXAMPLES,
    TOLD_EXAMPLES,
    RequestLine,
    Source,
    Told,
    parse_request,
    parse_source,
    parse_told,
)

Json: TypeAlias = Any
"""Anything that JSON can hold, with places for values or without."""

JsonPathField: TypeAlias = Annotated[
    JsonPath, phrase_field(parse_jsonpath, JsonPath, ("$.items", "$.data[*].id"), text_of)
]
RequestField: TypeAlias = Annotated[
    RequestLine, phrase_field(parse_request, RequestLine, REQUEST_EXAMPLES, str)
]
SourceField: TypeAlias = Annotated[Source, phrase_field(parse_source, Source, SOURCE_EXAMPLES, str)]
ToldField: TypeAlias = Annotated[Told, phrase_field(parse_told, Told, TOLD_EXAMPLES, str)]
MatcherField: TypeAlias = Annotated[
    Matcher,
    Written(
        read_matcher,
        {"examples": ["active", {"at_least": 1}]},
        lambda matcher: matcher.written(),
    ),
]


def as_tuple(value: object) -> object:
    """Take a list for the tuple that a frozen section holds."""
    return tuple(value) if isinstance(value, list) else value


def as_several(value: object) -> object:
    """Take one value for a list of one."""
    return as_tuple(value if isinstance(value, list | tuple) else [value])


Requests: TypeAlias = Annotated[tuple[RequestField, ...], BeforeValidator(as_tuple)]
Terms: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(as_several, json_schema_input_type=str | list[str]),
    Field(min_length=1),
]
Teller: TypeAlias = Annotated[
    tuple[ToldField, ...],
    BeforeValidator(as_several, json_schema_input_type=ToldField | list[ToldField]),
    Field(min_length=1),
]
