"""Documents that are read once, and a library that is really served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, Query
from fastapi.security import HTTPBearer
from hypothesis import settings
from pydantic import BaseModel

from deployment_gate.openapi import Document, SweepResult, read_document, sweep
from tests.api.shop import serving
from tests.openapi.documents import SWAGGER
from tests.openapi.library import TOKEN, Library, Sweep, make_library

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture
def swagger(tmp_path: Path) -> Document:
    file = tmp_path / "swagger.yaml"
    file.write_text(SWAGGER)
    return read_document(file)


class Owner(BaseModel):
    """Who answers for a policy."""

    name: str
    email: str | None = None


class Policy(BaseModel):
    """What is kept."""

    id: int
    title: str
    owner: Owner
    replaces: Policy | None = None


@pytest.fixture
def fastapi_document() -> Document:
    app = FastAPI(version="2.4.0")

    @app.get("/policies")
    def policies(q: Annotated[str, Query(examples=["data"])], size: int = 20) -> list[Policy]:
        raise NotImplementedError

    @app.get("/policies/{policy_id}", dependencies=[Depends(HTTPBearer())])
    def policy(policy_id: int, if_match: Annotated[str, Header()]) -> Policy:
        raise NotImplementedError

    return Document.parse(app.openapi(), origin="/openapi.json")


@pytest.fixture(scope="session")
def served_library() -> Iterator[tuple[Library, Document]]:
    """One library for all tests of this process."""
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
