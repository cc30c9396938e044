"""The `api` section: how to sign in, what is listed, what must be found and what must agree."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from deployment_gate.environment.fields import (
    BaseUrl,
    Count,
    Flag,
    HeaderName,
    Name,
    Secret,
    Text,
    UrlPath,
)
from deployment_gate.environment.journey_sections import Journey
from deployment_gate.environment.jsonpath import JsonPath
from deployment_gate.environment.request_fields import (
    Json,
    JsonPathField,
    RequestField,
    Requests,
    SourceField,
    Teller,
    Terms,
    ToldField,
    as_tuple,
)
from deployment_gate.environment.requests import Part, RequestLine, Source
from deployment_gate.environment.sections import Section
from deployment_gate.environment.templates import names_in


class Identity(Section):
    """Somebody whom the checks sign in as."""

    username: Text | None = None
    """The name that is signed in with."""
    password: Secret | None = None
    """Its password, from the process environment: ${NAME}."""
    token: Secret | None = None
    """A token or key that needs no sign-in, from the process environment: ${NAME}."""
    role: Text | None = None
    """What the platform calls what it may do."""

    @model_validator(mode="after")
    def _can_be_proven(self) -> Self:
        if self.token is None and (self.username is None or self.password is None):
            raise ValueError("has nothing to sign in with. Write `username` and `password`")
        return self


class Login(Section):
    """How an identity signs in, and what shows that it did."""

    request: RequestField | None = None
    """Where to sign in; unset: nowhere, the credentials go with each request."""
    body: Json = None
    """What is sent as JSON, with {{username}} and {{password}}; unset: just these two."""
    form: Mapping[Text, Text] | None = None
    """What is sent as a form in place of `body`."""
    headers: Mapping[HeaderName, Text] = {}
    """What is sent beside it."""
    token: SourceField = Source(Part.BODY, query=JsonPath("$.access_token"))
    """Where the answer has the token."""
    refresh_token: SourceField | None = None
    """Where the answer has the token that a new one is got with."""
    send: Mapping[HeaderName, Text] = {"Authorization": "Bearer {{token}}"}
    """What goes with each request, with {{token}}, {{username}}, {{password}} or {{basic}}."""
    lifetime: SourceField | None = None
    """Where the answer says for how many seconds the token is good."""
    short_lived: Mapping[Text, Json] | None = None
    """What to add to `body` or `form` for a token that is good for a second or two."""

    @property
    def sends_token(self) -> bool:
        """Whether requests bear a token, and not the credentials themselves."""
        return "token" in names_in(self.send)


class Refresh(Section):
    """How a new token is got without the password."""

    request: RequestField
    """Where to ask."""
    body: Json = None
    """What is sent as JSON, with {{refresh_token}}; unset: just that."""
    form: Mapping[Text, Text] | None = None
    """What is sent as a form in place of `body`."""
    rotates: Flag = True
    """Whether a refresh token works once only."""


class WhoAmI(Section):
    """Where the API says whose token it was sent."""

    path: UrlPath
    """Where to ask."""
    username: JsonPathField | None = None
    """Where the answer has the name."""
    role: JsonPathField | None = None
    """Where the answer has the role."""


class Paging(Section):
    """How a list pages."""

    items: JsonPathField = JsonPath("$.items")
    """Where the answer has the items."""
    total: JsonPathField | None = None
    """Where the answer says how many there are in all."""
    size: Text | None = None
    """The query parameter for how many items a page has."""
    told_size: JsonPathField | None = None
    """Where the answer says how many items a page has at most."""
    largest: Count | None = None
    """How many items a page has at most."""
    page: Text | None = None
    """The query parameter for the number of the page, from 1."""
    offset: Text | None = None
    """The query parameter for how many items to pass over."""
    next: SourceField | None = None
    """Where the answer has the next page: its address, or what `cursor` takes."""
    cursor: Text | None = None
    """The query parameter for what `next` answered."""

    @model_validator(mode="after")
    def _pages_in_one_way(self) -> Self:
        ways = [name for name in ("page", "offset", "next") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"pages by {' and by '.join(ways)}. Write one of them")
        if self.cursor and not self.next:
            raise ValueError("has a `cursor`, and nowhere to take it from. Write `next:`")
        return self

    @property
    def is_numbered(self) -> bool:
        """Whether any page can be asked for."""
        return bool(self.page or self.offset)

    @property
    def has_pages(self) -> bool:
        """Whether there is a way to a further page."""
        return self.is_numbered or self.next is not None


class Collection(Section):
    """A list of things that the API keeps, and the things in it."""

    path: UrlPath
    """Where they are listed."""
    reader: Name | None = None
    """The identity that reads it; unset: the first one."""
    public: Flag = False
    """Whether anybody may read it without signing in."""
    items: JsonPathField | None = None
    """Where the answer has the items; unset: where `paging` says."""
    fewest: Annotated[int, Field(ge=0)] = 1
    """How many items there are at least."""
    id: JsonPathField = JsonPath("$.id")
    """Where an item has its id."""
    item: UrlPath | None = None
    """Where one of them is, with {{id}}."""
    item_at: JsonPathField = JsonPath("$")
    """Where the answer with one item has it."""
    volatile: Annotated[tuple[Text, ...], BeforeValidator(as_tuple)] = ()
    """Fields of an item that differ from one answer to the next: signed addresses, counters."""
    etag: Flag = False
    """Whether the answer with an item names its version as an ETag, and 304 says it is known."""
    missing: str | int = 2147483647
    """An id that there is none of."""
    filters: Mapping[Text, Json] = {}
    """Query parameters that leave only the items whose field of that name is the value."""
    writer: Name | None = None
    """The identity that makes, changes and removes items."""
    draft: Json = None
    """What an item is made of; {{run}} is different for each run."""
    change: Mapping[Text, Json] | None = None
    """What is changed in the draft for an edit."""

    @property
    def is_private(self) -> bool:
        """Whether it is only for who signed in."""
        return not self.public

    @model_validator(mode="after")
    def _has_a_place_for_the_id(self) -> Self:
        if self.item and "{{id}}" not in self.item.replace(" ", ""):
            raise ValueError(f"`item` has no place for the id. Write {self.path}/{{{{id}}}}")
        return self


class Search(Section):
    """Where to search, and what must be found."""

    path: UrlPath
    """Where to ask."""
    parameter: Text = "q"
    """The query parameter for the term."""
    reader: Name | None = None
    """The identity that searches; unset: the first one."""
    items: JsonPathField | None = None
    """Where the answer has what was found; unset: where `paging` says."""
    finds: Terms
    """A term that must be found, or several."""
    finds_not: Text = "xqzzywvut"
    """A term that there is nothing of."""


class ErrorShape(Section):
    """What every error answer looks like."""

    content_type: Text = "application/json"
    """Its content type."""
    json_schema: Mapping[Text, Json] | None = None
    """What its body is, as JSON Schema (2020-12)."""


class OpenApi(Section):
    """The API's own description."""

    path: UrlPath
    """Where it is."""
    parameters: Mapping[Text, Json] = {}
    """Values for parameters that it gives no example of, by their names."""
    skip: Requests = ()
    """Documented operations that are not to be called."""


class Fact(Section):
    """One fact that several answers tell, and must tell alike."""

    told_by: Teller
    """Who tells it: an address, and the place in its answer."""
    equals: Json = None
    """What it must be, {{environment}} or {{release}} say; unset: only the same everywhere."""


def _from_list(value: object) -> object:
    return {"told_by": value} if isinstance(value, list) else value


_FactField = Annotated[
    Fact, BeforeValidator(_from_list, json_schema_input_type=Fact | list[ToldField])
]


class ApiTarget(Section):
    """The API: where it is, how to sign in, and what it must do."""

    base_url: BaseUrl
    """What all paths of the API are below."""
    login: Login | None = None
    """How to sign in; unset: nothing that needs it is checked."""
    identities: Mapping[Name, Identity] = {}
    """Whom the checks sign in as, by name; the first one reads."""
    whoami: WhoAmI | None = None
    """Where it says whose token it was sent."""
    logout: RequestField | None = None
    """How a token is given up."""
    refresh: Refresh | None = None
    """How a new token is got without the password."""
    paging: Paging = Field(default_factory=Paging)
    """How its lists page."""
    collections: Mapping[Name, Collection] = {}
    """What it keeps lists of, by name."""
    search: Search | None = None
    """How it is searched."""
    errors: ErrorShape | None = None
    """What every error answer looks like."""
    openapi: OpenApi | None = None
    """Its own description."""
    routes: Requests = ()
    """What it must serve beside all that this section names."""
    facts: Mapping[Name, _FactField] = {}
    """What several of its answers must tell alike, by name."""
    journeys: Mapping[Name, Journey] = {}
    """Steps that somebody takes, by name."""

    def reader_of(self, section: Collection | Search) -> str | None:
        """Answer which identity reads; None for nobody in particular."""
        if isinstance(section, Collection) and section.public:
            return None
        return section.reader or next(iter(self.identities), None)

    @property
    def private_path(self) -> str | None:
        """A path that must not be answered to strangers; None where none is known."""
        if not self.identities:
            return None
        if self.whoami:
            return self.whoami.path
        private = [one.path for one in self.collections.values() if not one.public]
        return private[0] if private else None

    @property
    def tells_sign_ins(self) -> bool:
        """Whether anything tells a sign-in that went well from one that didn't."""
        return bool((self.login and self.login.request) or self.private_path)

    @property
    def askable(self) -> tuple[RequestLine, ...]:
        """Those promised requests that can be sent as they are, and only read."""
        return tuple(
            request
            for request in self.promised()
            if request.method == "GET" and not any(names_in(request.path))
        )

    def promised(self) -> tuple[RequestLine, ...]:
        """Answer all requests that this section says the API serves; paths may have places."""
        return tuple(dict.fromkeys(self._promised()))

    def _promised(self) -> Iterator[RequestLine]:
        yield from self.routes
        for request in (
            self.login.request if self.login else None,
            self.logout,
            self.refresh.request if self.refresh else None,
        ):
            if request:
                yield request
        for section in (self.whoami, *self.collections.values(), self.search):
            if section:
                yield RequestLine("GET", section.path)
        for collection in self.collections.values():
            if collection.item:
                yield RequestLine("GET", collection.item)
            if collection.draft is not None:
                yield RequestLine("POST", collection.path)
