"""A library that is really served, without a defect, for sweeps to go over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from deployment_gate.openapi import Document, SweepResult

Sweep = Callable[..., SweepResult]

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


def documented(paths: dict[str, Any]) -> Document:
    return Document.parse({"openapi": "3.1.0", "paths": paths}, origin="here")


def getting(*parameters: dict[str, Any], statuses: tuple[int, ...] = (200,)) -> dict[str, Any]:
    """A GET operation that answers anything with these statuses."""
    answers = {str(status): {"content": {"application/json": {}}} for status in statuses}
    return {"get": {"parameters": list(parameters), "responses": answers}}


def told(result: SweepResult) -> list[str]:
    return [f"{one.operation}: {one.what}" for one in result.violations]
