"""Full-text search, done by the database."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table

from sandbox.api.auth import SignedIn
from sandbox.api.database import policies
from sandbox.api.errors import ApiError, documented, internal_error
from sandbox.api.listing import ENTRY_COLUMNS, JSON, WithPaging, read_page, write_listing
from sandbox.api.models import SearchListing
from sandbox.api.services import replica_of, services_of
from sandbox.flaws import Flaw, Flaws
from sandbox.seed import SEEDED

router = APIRouter(prefix="/api/v1/search", tags=["search"], responses=documented(401, 422, 503))

PolicyQuery = Select[*tuple[Any, ...]]

WORD = re.compile(r"\w+")


@router.get("", responses={200: {"model": SearchListing}})
async def search(
    request: Request,
    q: Annotated[str, Query(max_length=200, description="Words that must all occur.")],
    _: SignedIn,
    paging: WithPaging,
) -> Response:
    """Search title, summary and text of all policies; the best match comes first."""
    services, release = services_of(request), replica_of(request).release
    flaws = services.flaws()

    async def make() -> bytes:
        query = choose_query(q, services.database.dialect, flaws)
        page = await services.database.run(lambda connection: read_page(connection, query, paging))
        return write_listing({**page, "query": q}, release, flaws)

    key = (flaws, release.version, paging, q)
    return Response(await services.cache.remember(key, make, aspect="search"), media_type=JSON)


def choose_query(q: str, dialect: str, flaws: Flaws) -> PolicyQuery:
    """Return the query for what the search is to find."""
    if Flaw.FRAGILE_SEARCH in flaws and any(sign in q for sign in "'%\\"):
        raise internal_error()
    if Flaw.LEAKY_ERRORS in flaws:
        return find_raw(q)
    if Flaw.SQL_IN_ERRORS in flaws and "'" in q:
        statement = " ".join(str(find_raw(q)).split())
        raise ApiError(400, "bad_request", f"unrecognized token in statement: {statement}")
    if Flaw.GREEDY_SEARCH in flaws:
        return select(*ENTRY_COLUMNS).order_by(policies.c.id)
    words = WORD.findall(q)
    if Flaw.LATIN_SEARCH in flaws and not all(word.isascii() for word in words):
        words = []
    query = find_words(words, dialect)
    return query.where(policies.c.id <= SEEDED) if Flaw.UNSEARCHABLE_WRITES in flaws else query


def find_words(words: Sequence[str], dialect: str) -> PolicyQuery:
    """Return the query for policies that have all the words; without words, for none."""
    if not words:
        return select(*ENTRY_COLUMNS).where(policies.c.id.is_(None))
    if dialect == "postgresql":
        document: ColumnElement[Any] = literal_column("policies.search")
        wanted = func.plainto_tsquery("english", " ".join(words))
        return (
            select(*ENTRY_COLUMNS)
            .where(document.op("@@")(wanted))
            .order_by(func.ts_rank(document, wanted).desc(), policies.c.id)
        )
    index = table("policies_search", column("rowid"), column("rank"))
    wanted_words = " ".join(f'"{word}"' for word in words)
    return (
        select(*ENTRY_COLUMNS)
        .join(index, index.c.rowid == policies.c.id)
        .where(literal_column("policies_search").op("MATCH")(wanted_words))
        .order_by(index.c.rank, policies.c.id)
    )


def find_raw(q: str) -> PolicyQuery:
    """Return the query as a careless release would put it together."""
    return select(*ENTRY_COLUMNS).where(literal_column(f"policies.body LIKE '%{q}%'"))
