"""Journeys as data: steps that somebody takes, each with a request and what must come back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from deployment_gate.environment.fields import (
    Duration,
    Flag,
    HeaderName,
    Name,
    Statuses,
    Text,
)
from deployment_gate.environment.request_fields import (
    Json,
    JsonPathField,
    MatcherField,
    RequestField,
    SourceField,
    as_tuple,
)
from deployment_gate.environment.sections import Section


class Expect(Section):
    """What must come back."""

    status: Statuses | None = None
    """The status, or a list of them; unset: any that is a success."""
    headers: Mapping[HeaderName, MatcherField] = {}
    """What headers must be."""
    jsonpath: Mapping[JsonPathField, MatcherField] = {}
    """What the values must be that a JSONPath selects in the body."""
    json_schema: Mapping[Text, Json] | Text | None = None
    """What the body is: a JSON Schema (2020-12), or a place in the OpenAPI document (#/...)."""
    text: MatcherField | None = None
    """What the body must be as text."""
    within: Duration | None = None
    """How long the answer may take; unset: as long as any request."""

    def templates(self) -> tuple[object, ...]:
        """Answer what in it may have places."""
        matchers = [*self.headers.values(), *self.jsonpath.values()]
        matchers += [self.text] if self.text else []
        return tuple(matcher.written() for matcher in matchers)


class Retry(Section):
    """Taking a step again until all that is expected of it holds."""

    interval: Duration = timedelta(milliseconds=500)
    """The time between two attempts."""
    timeout: Duration
    """For how long."""


class Step(Section):
    """One request, and what must come back."""

    request: RequestField
    """Method and path; {{name}} stands for what an earlier step has captured."""
    name: Text | None = None
    """What it is called in reports; unset: its request."""
    identity: Name | None = None
    """Who sends it; unset: nobody in particular."""
    query: Mapping[Text, Json] = {}
    """Query parameters."""
    headers: Mapping[HeaderName, Text] = {}
    """Headers beside the usual ones."""
    body: Json = None
    """What is sent as JSON."""
    form: Mapping[Text, Text] | None = None
    """What is sent as a form in place of `body`."""
    expect: Expect = Field(default_factory=Expect)
    """What must come back."""
    capture: Mapping[Text, SourceField] = {}
    """What later steps may use, and where the answer has it."""
    retry: Retry | None = None
    """How often it may be tried; unset: once."""


Steps: TypeAlias = Annotated[tuple[Step, ...], BeforeValidator(as_tuple)]


class Journey(Section):
    """Steps that are taken one after another; the first that goes wrong ends it."""

    description: str = ""
    """What it shows, for people."""
    smoke: Flag = False
    """Whether it is taken after each deploy, too."""
    writes: Flag = False
    """Whether it may change anything, which needs the environment's leave, too."""
    steps: Annotated[Steps, Field(min_length=1)]
    """What is done."""
    cleanup: Steps | None = None
    """What is done at the end in any case; a step whose values were never captured is left out."""
