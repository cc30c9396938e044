"""What was found of a platform, as its environment file will have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFound:
    """Something that says whether it is well.

    Attributes:
        name: What it will be called.
        url: Where to ask.
        said: What it said, for people.
        is_page: Whether it answers with a page.
        is_stand_in: Whether it isn't about health, and there is nothing better to ask.
    """

    name: str
    url: str
    said: str
    is_page: bool = False
    is_stand_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFound:
    """Where a release names itself.

    Attributes:
        name: What it will be called.
        url: Where to ask.
        release: What it said.
        field: Where its JSON says so.
        header: Which header says so.
        instance_header: Which header tells its replicas apart.
        replicas: How many of these were met.
    """

    name: str
    url: str
    release: str
    field: str | None = None
    header: str | None = None
    instance_header: str | None = None
    replicas: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFound:
    """How one signs in at the API.

    Attributes:
        request: Method and path; None where the credentials go with each request.
        fields: What is sent, with places for username and password.
        is_form: Whether that is a form, and not JSON.
        token: Where the answer has the token, as a JSONPath.
        is_token_described: Whether the API's description says so.
        refresh_token: Where it has the one that a new one is got with.
        lifetime: Where it says for how many seconds the token is good.
        send: What goes with each request then; empty for what is usual.
        takes_key: Whether a key stands for name and password.
        said_by: What it is known from, for people.
    """

    request: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    is_form: bool = False
    token: str = "$.access_token"  # noqa: S105  # where it stands
    is_token_described: bool = True
    refresh_token: str | None = None
    lifetime: str | None = None
    send: Mapping[str, str] = field(default_factory=dict)
    takes_key: bool = False
    said_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFound:
    """A list of the API.

    Attributes:
        name: What it will be called.
        path: Where it is.
        items: Where its answer has the items.
        is_public: Whether it was answered without signing in.
        count: How many items that answer had; None where it wasn't seen.
        item: Where one item is, with {{id}}.
        id: Where an item has its id.
        item_at: Where the answer with one item has it.
        missing: An id that there is none of, where the usual one isn't of its kind.
        is_for_some: Whether its description says that not everybody may read it.
    """

    name: str
    path: str
    items: str
    is_public: bool
    count: int | None = None
    item: str | None = None
    id: str = "$.id"
    item_at: str = "$"
    missing: str | None = None
    is_for_some: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFound:
    """Where the API is searched.

    Attributes:
        path: Where to ask.
        parameter: The query parameter for the term.
        items: Where its answer has what was found.
        finds: A term that is found; None where that isn't known.
    """

    path: str
    parameter: str
    items: str
    finds: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFound:
    """The API.

    Attributes:
        base_url: What its paths are below.
        described_at: Where its OpenAPI document is, below that; None where there is none.
        title: What that calls it.
        operations: How many it describes.
        login: How one signs in.
        whoami: Where it says who signed in, and where that answer has the name.
        lists: What it keeps lists of.
        paging: How these page: keys of the `paging` section.
        search: Where it is searched.
        answered: Paths that anybody is answered.
        refused: Paths that strangers are refused (401 or 403), and how.
        passed_over: What was found and isn't in the file, and why, for people.
    """

    base_url: str
    described_at: str | None = None
    title: str = ""
    operations: int = 0
    login: LoginFound | None = None
    whoami: tuple[str, str | None] | None = None
    lists: tuple[ListFound, ...] = ()
    paging: Mapping[str, Any] = field(default_factory=dict)
    search: SearchFound | None = None
    answered: tuple[str, ...] = ()
    refused: Mapping[str, int] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFound:
    """A page of the web interface.

    Attributes:
        name: What it will be called.
        path: Where it is.
        heading: Its main heading, where that is sure.
        is_public: Whether it is shown to strangers; otherwise they were led to another.
    """

    name: str
    path: str
    heading: str | None
    is_public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFound:
    """A form to sign in by.

    Attributes:
        path: The page that it is on.
        username: The label of its field for who one is.
        password: The label of the one for the password.
        button: What its button says.
    """

    path: str
    username: str
    password: str
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFound:
    """The web interface.

    Attributes:
        base_url: What its pages are below.
        pages: Those that were found.
        form: Where one signs in.
        is_seen: Whether a browser has looked; otherwise only what the server sends is known.
        third_parties: Hosts of others that its pages ask.
        remarks: What else is to be known, for people.
    """

    base_url: str
    pages: tuple[PageFound, ...]
    form: FormFound | None = None
    is_seen: bool = True
    third_parties: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """All that was found.

    Attributes:
        address: The one that was given.
        health: What says whether it is well.
        releases: Where releases name themselves.
        api: The API.
        web: The web interface.
        requests: How many requests that took.
        remarks: What else is to be known, for people.
    """

    address: str
    health: tuple[HealthFound, ...] = ()
    releases: tuple[ReleaseFound, ...] = ()
    api: ApiFound | None = None
    web: WebFound | None = None
    requests: int = 0
    remarks: tuple[str, ...] = ()
