"""Sweeps over a library that is really served: what is called, with which values, what is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from deployment_gate.api.document import Document
from deployment_gate.api.sweep import SweepResult, sweep
from deployment_gate.environment import RequestLine
from deployment_gate.errors import GateError
from tests.api.shop import serving

BEARER = HTTPBearer()
ROUTER = APIRouter()
TOKEN = "a-librarians-token"
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"content": {"application/json": {}}}}


class Book(BaseModel):
    """What is lent."""

    id: int
    title: str


class Note(BaseModel):
    """What is written about a book."""

    noteId: str  # noqa: N815  # as some APIs have it
    text: str


class Notes(BaseModel):
    """A page of notes."""

    total: int
    labels: list[str] = ["new"]
    items: list[Note]


class Setting(BaseModel):
    """What is set."""

    value: int


class Order(StrEnum):
    """How books are ordered."""

    BY_TITLE = "title"
    BY_AGE = "age"


BOOKS = [Book(id=41, title="On Policy"), Book(id=42, title="On Law")]
NOTES = {41: [Note(noteId="a/b", text="good")], 42: [Note(noteId="c", text="better")]}
SETTINGS = {"loans": Setting(value=3), "days": Setting(value=14)}


@dataclass
class Library:
    """What is asked of it, and which answers are replaced by which, by path."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    replaced: dict[str, Response] = field(default_factory=dict)


def signed_in(request: Request) -> None:
    """401 for a stranger."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise HTTPException(401)


@ROUTER.get("/books/{book_id}/notes/{note_id:path}", responses=NOT_FOUND)
def one_note(book_id: int, note_id: str) -> Note:
    for one in NOTES.get(book_id, []):
        if one.noteId == note_id:
            return one
    raise HTTPException(404)


@ROUTER.get("/books/{book_id}/notes", responses=NOT_FOUND)
def notes(book_id: int) -> Notes:
    if book_id not in NOTES:
        raise HTTPException(404)
    return Notes(total=1, items=NOTES[book_id])


@ROUTER.get("/books/{book_id}", responses=NOT_FOUND)
def book(book_id: int, *, full: bool = False) -> Book:
    for one in BOOKS:
        if one.id == book_id:
            return one
    raise HTTPException(404, detail=full)


@ROUTER.get("/books")
def books(order: Order, least: Annotated[int, Query(ge=1)], *, short: bool) -> list[Book]:
    return BOOKS if order and least and not short else []


@ROUTER.post("/books", status_code=201)
def add(new: Book) -> Book:
    return new


@ROUTER.get("/search")
def search(q: str) -> list[Book]:
    return [one for one in BOOKS if q in one.title]


@ROUTER.get("/account", dependencies=[Depends(BEARER), Depends(signed_in)])
def account() -> dict[str, str]:
    return {"name": "librarian"}


@ROUTER.get("/settings")
def settings() -> dict[str, Setting]:
    return SETTINGS


@ROUTER.get("/setting/{key}")
def setting(key: str) -> Setting:
    return SETTINGS[key]


@ROUTER.get("/shelves")
def shelves() -> list[str]:
    return ["north wing", "south wing"]


@ROUTER.get("/shelves/{shelf}.json")
def shelf(shelf: str) -> dict[str, str]:
    return {"shelf": shelf}


@ROUTER.get("/old", status_code=307, response_class=RedirectResponse)
def old() -> str:
    return "/books"


def make_library(library: Library) -> FastAPI:
    """The library's API, without a defect."""
    app = FastAPI(version="1.0")
    app.include_router(ROUTER)

    @app.middleware("http")
    async def note(request: Request, proceed: Any) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        library.asked.append(request.scope["raw_path"].decode() + query)
        if replaced := library.replaced.get(request.url.path):
            return replaced
        answer: Response = await proceed(request)
        return answer

    return app


@pytest.fixture(scope="module")
def served_library() -> Iterator[tuple[Library, Document]]:
    """One library for all these tests."""
    library = Library()
    app = make_library(library)
    with serving(app) as url:
        library.url = url
        yield library, Document.parse(app.openapi(), origin=url)


@pytest.fixture
def library(served_library: tuple[Library, Document]) -> Library:
    """The library when nobody has asked it yet, without a defect."""
    served_library[0].asked.clear()
    served_library[0].replaced.clear()
    return served_library[0]


Sweep = Callable[..., SweepResult]


@pytest.fixture
def run_sweep(library: Library, served_library: tuple[Library, Document]) -> Iterator[Sweep]:
    """Sweep over the library, by its own document unless another one is given."""
    with httpx.Client(base_url=library.url) as client:

        def ask(path: str, needs_credentials: bool) -> httpx.Response:  # noqa: FBT001
            headers = {"Authorization": f"Bearer {TOKEN}"} if needs_credentials else {}
            return client.get(path, headers=headers)

        def run(document: Document | None = None, **options: Any) -> SweepResult:
            defaults = {"ask": ask, "parameters": {"q": "Law"}, "skip": ()}
            return sweep(document or served_library[1], **(defaults | options))

        yield run


def documented(paths: dict[str, Any]) -> Document:
    return Document.parse({"openapi": "3.1.0", "paths": paths}, origin="here")


def getting(*parameters: dict[str, Any], statuses: tuple[int, ...] = (200,)) -> dict[str, Any]:
    """A GET operation that answers anything with these statuses."""
    answers = {str(status): {"content": {"application/json": {}}} for status in statuses}
    return {"get": {"parameters": list(parameters), "responses": answers}}


def told(result: SweepResult) -> list[str]:
    return [f"{one.operation}: {one.what}" for one in result.violations]


def test_a_library_without_a_defect_is_called_completely(
    library: Library, run_sweep: Sweep
) -> None:
    result = run_sweep()

    assert told(result) == []
    assert result.undocumented == []
    assert result.not_called == {}
    assert result.called == 11
    assert sorted(library.asked) == [
        "/account",
        "/books/41",
        "/books/41/notes",
        "/books/41/notes/a%2Fb",
        "/books?order=title&least=1&short=false",
        "/old",
        "/search?q=Law",
        "/setting/loans",
        "/settings",
        "/shelves",
        "/shelves/north%20wing.json",
    ]


@pytest.mark.parametrize(
    ("path", "answer", "what"),
    [
        ("/shelves", Response(status_code=503), "GET /shelves: was answered 503"),
        (
            "/shelves/north wing.json",
            JSONResponse({"shelf": 1}),
            "GET /shelves/{shelf}.json: $.shelf: 1 is not of type 'string'",
        ),
        (
            "/account",
            JSONResponse({}, 203),
            "GET /account: was answered 203, which isn't documented; documented: 200",
        ),
        (
            "/account",
            JSONResponse({}, 403),
            "GET /account: was refused with 403 although signed in",
        ),
        (
            "/account",
            Response("{}", media_type="text/plain"),
            (
                "GET /account: was answered 200 as text/plain, which isn't documented; "
                "documented: application/json"
            ),
        ),
        (
            "/account",
            RedirectResponse("/elsewhere"),
            "GET /account: was answered 307, which isn't documented; documented: 200",
        ),
        (
            "/setting/loans",
            Response("{", media_type="application/json"),
            (
                "GET /setting/{key}: was answered 200 as application/json, and the body isn't "
                "JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
            ),
        ),
        (
            "/books/41/notes/a/b",
            JSONResponse({}, 404),
            (
                "GET /books/{book_id}/notes/{note_id}: was answered 404 for {note_id} = a/b, "
                "as GET /books/{book_id}/notes has it"
            ),
        ),
        (
            "/search",
            JSONResponse({}, 404),
            "GET /search: was answered 404, which isn't documented; documented: 200, 422",
        ),
        (
            "/search",
            JSONResponse([{"id": 1}]),
            "GET /search: $[0]: 'title' is a required property",
        ),
    ],
)
def test_a_single_defect_is_found_alone(
    library: Library, run_sweep: Sweep, path: str, answer: Response, what: str
) -> None:
    library.replaced[path] = answer

    result = run_sweep()

    assert told(result) == [what]
    assert result.called == 11 - (path == "/shelves")


def test_a_connection_that_breaks_is_a_violation_and_the_sweep_goes_on(
    library: Library, run_sweep: Sweep
) -> None:
    cut_off = Response(b"{", headers={"Content-Length": "9"}, media_type="application/json")
    library.replaced["/account"] = cut_off

    result = run_sweep()

    assert len(result.violations) == 1
    assert str(result.violations[0]).startswith("GET /account: was not answered: ")
    assert result.called == 11


def test_a_refusal_of_the_gates_own_is_passed_on(run_sweep: Sweep) -> None:
    class RequestRefusedError(GateError):
        pass

    def refuse(path: str, _: bool) -> httpx.Response:  # noqa: FBT001
        raise RequestRefusedError(path)

    with pytest.raises(RequestRefusedError):
        run_sweep(ask=refuse)


def test_an_undocumented_field_is_told_with_its_operation(
    library: Library, run_sweep: Sweep
) -> None:
    library.replaced["/search"] = JSONResponse([{"id": 1, "title": "a", "shelf": 1}])

    result = run_sweep()

    assert told(result) == []
    assert result.undocumented == ["GET /search: $[*].shelf"]


def test_a_finding_says_what_was_asked(library: Library, run_sweep: Sweep) -> None:
    library.replaced["/search"] = Response(status_code=500)

    (finding,) = run_sweep().violations

    assert str(finding) == "GET /search: was answered 500 (asked for /search?q=Law)"


def test_what_has_no_value_is_not_called_and_says_why(library: Library, run_sweep: Sweep) -> None:
    library.replaced["/settings"] = JSONResponse({})
    library.replaced["/books"] = JSONResponse([])

    result = run_sweep(parameters={})

    advice = "write one under `api.openapi.parameters`"
    assert told(result) == []
    assert result.not_called == {
        "GET /books/{book_id}/notes/{note_id}": f"no value for {{book_id}}; {advice}",
        "GET /books/{book_id}/notes": f"no value for {{book_id}}; {advice}",
        "GET /books/{book_id}": f"no value for {{book_id}}; {advice}",
        "GET /search": f"no value for q; {advice}",
        "GET /setting/{key}": f"no value for {{key}}; {advice}",
    }
    assert result.called == 6


def test_what_the_environment_skips_is_not_called(library: Library, run_sweep: Sweep) -> None:
    skip = [RequestLine("GET", "/books/{{id}}"), RequestLine("GET", "/account")]

    result = run_sweep(skip=[*skip, RequestLine("POST", "/books"), RequestLine("GET", "/none")])

    assert result.not_called == {
        "GET /books/{book_id}": "skipped by the environment",
        "GET /account": "skipped by the environment",
    }
    assert not {"/account", "/books/41"} & set(library.asked)
    assert "/books/41/notes" in library.asked


def test_no_more_operations_are_called_than_the_limit(library: Library, run_sweep: Sweep) -> None:
    result = run_sweep(limit=4)

    assert result.called == len(library.asked) == 4
    assert len(result.not_called) == 7
    assert set(result.not_called.values()) == {"more than 4 operations"}


def test_the_environments_value_comes_first(library: Library, run_sweep: Sweep) -> None:
    run_sweep(parameters={"q": "a b&c", "book_id": 42, "order": ["age"]})

    assert {"/books/42", "/books/42/notes/c", "/search?q=a%20b%26c"} <= set(library.asked)
    assert "/books?order=age&least=1&short=false" in library.asked


def test_a_value_from_an_example_may_be_missing_where_that_is_documented(
    library: Library, run_sweep: Sweep
) -> None:
    name = {"name": "id", "in": "path", "required": True, "example": 7}
    known = documented({"/books/{id}": getting(name, statuses=(200, 404))})
    unknown = documented({"/books/{id}": getting(name)})

    assert told(run_sweep(known)) == []
    assert told(run_sweep(unknown)) == [
        "GET /books/{id}: was answered 404, which isn't documented; documented: 200"
    ]
    assert library.asked == ["/books/7", "/books/7"]


def test_after_an_example_that_is_missing_the_apis_own_values_are_tried(
    library: Library, run_sweep: Sweep
) -> None:
    name = {"name": "id", "in": "path", "required": True, "example": 7}
    query = [
        {"name": key, "in": "query", "required": True, "example": value}
        for key, value in (("order", "age"), ("least", 1), ("short", False))
    ]

    result = run_sweep(documented({"/books/{id}": getting(name), "/books": getting(*query)}))

    assert told(result) == []
    assert library.asked == ["/books?order=age&least=1&short=false", "/books/7", "/books/41"]


def test_up_to_three_candidates_are_tried_until_one_is_there(
    library: Library, run_sweep: Sweep
) -> None:
    things = [{"id": 1, "uuid": "u", "slug": "s", "key": "k", "thing_ref": "r", "extra": "e"}]
    library.replaced["/things"] = JSONResponse({"items": things})
    library.replaced["/things/u"] = JSONResponse({})
    document = documented({"/things": getting(), "/things/{thing_ref}": getting()})

    assert told(run_sweep(document)) == []
    assert library.asked == ["/things", "/things/r", "/things/1", "/things/u"]

    library.replaced["/things/u"] = JSONResponse({}, 404)

    assert told(run_sweep(document)) == [
        (
            "GET /things/{thing_ref}: was answered 404 for {thing_ref} = r and 1 and u, "
            "as GET /things has it"
        ),
    ]


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ([{"id": 5}], "thing_id", "5"),
        ([{"id": 5}], "thingId", "5"),
        ([{"thingId": 6, "id": 5}], "thing_id", "6"),
        ([{"thing_uuid": "u", "id": 5}], "thing-uuid", "u"),
        ([{"id": True, "name": "n"}], "thing_id", "n"),
        ([{"id": None, "slug": "", "key": ".."}], "thing_id", None),
        (["a", "b"], "name", "a"),
        ({"errors": ["x"], "found": [{"id": 5}]}, "thing_id", "5"),
        ({"facets": [{"id": 9}], "items": [{"id": 5}]}, "thing_id", "5"),
        ({"facets": [{"id": 9}], "things": []}, "thing_id", None),
        ({"total": 1, "found": ["a"]}, "name", "a"),
        ({"data": [{"id": 5}], "links": {}}, "thing_id", "5"),
        ({"_embedded": {"things": [{"id": 5}]}, "_links": {"self": {}}}, "thing_id", "5"),
        ({"first": {"x": 1}, "second": {"x": 2}}, "name", "first"),
        ({"status": "ok"}, "name", None),
        ({}, "name", None),
        ("text", "name", None),
    ],
)
def test_values_come_from_the_list_before_the_parameter(
    library: Library, run_sweep: Sweep, body: Any, name: str, value: str | None
) -> None:
    library.replaced["/things"] = JSONResponse(body)
    library.replaced[f"/things/{value}"] = JSONResponse({})

    result = run_sweep(documented({f"/things/{{{name}}}": getting(), "/things": getting()}))

    assert told(result) == []
    assert library.asked == ["/things", *([f"/things/{value}"] if value else [])]
    assert len(result.not_called) == (value is None)


@pytest.mark.parametrize("listing", ["/things", "/things/", "/thing", "/thing/"])
def test_lists_are_found_by_likely_names(library: Library, run_sweep: Sweep, listing: str) -> None:
    library.replaced[listing] = JSONResponse([{"id": 5}])
    library.replaced["/thing/5"] = JSONResponse({})
    paths = (listing, "/thing/{id}") if listing != "/things/" else ("/things/", "/things/{id}")
    library.replaced["/things/5"] = JSONResponse({})

    result = run_sweep(documented({path: getting() for path in paths}))

    assert (told(result), result.called) == ([], 2)


def test_a_value_that_does_not_fit_its_schema_is_not_tried(
    library: Library, run_sweep: Sweep
) -> None:
    library.replaced["/things"] = JSONResponse([{"id": "five", "key": 5}])
    library.replaced["/things/5"] = JSONResponse({})
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}

    run_sweep(documented({"/things": getting(), "/things/{id}": getting(name)}))

    assert library.asked == ["/things", "/things/5"]


def test_a_required_header_keeps_an_operation_from_being_called(
    library: Library, run_sweep: Sweep
) -> None:
    header = {"name": "X-Tenant", "in": "header", "required": True, "example": "a"}

    result = run_sweep(documented({"/books": getting(header)}))

    assert result.not_called == {
        "GET /books": "needs the header X-Tenant, which a sweep doesn't send"
    }
    assert library.asked == []


def test_the_base_path_is_part_of_what_is_asked(library: Library, run_sweep: Sweep) -> None:
    library.replaced["/api/things"] = JSONResponse([])
    document = Document.parse(
        {
            "openapi": "3.0.0",
            "servers": [{"url": "https://elsewhere.example/api"}],
            "paths": {"/things": getting()},
        },
        origin="here",
    )

    assert told(run_sweep(document)) == []
    assert library.asked == ["/api/things"]


def test_a_parameter_of_no_place_in_the_path_is_left_out(
    library: Library, run_sweep: Sweep
) -> None:
    stray = {"name": "gone", "in": "path", "required": True}
    library.replaced["/things"] = JSONResponse([])

    result = run_sweep(documented({"/things": getting(stray)}))

    assert (told(result), result.not_called, library.asked) == ([], {}, ["/things"])


def test_a_list_of_values_is_sent_one_by_one(library: Library, run_sweep: Sweep) -> None:
    tags = {"name": "tag", "in": "query", "required": True, "example": ["a", "b"]}
    library.replaced["/things"] = JSONResponse([])

    run_sweep(documented({"/things": getting(tags)}))

    assert library.asked == ["/things?tag=a&tag=b"]
