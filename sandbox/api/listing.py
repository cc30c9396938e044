"""Pages of policies: how they are asked for, and how they are written."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import Connection, Row, Select, func, select

from sandbox.api.database import policies
from sandbox.releases import Release

ENTRY_COLUMNS = tuple(column for column in policies.c if column.name != "body")
JSON = "application/json"


@dataclass(slots=True, frozen=True)
class Paging:
    """The page that is asked for."""

    page: int
    per_page: int


async def paging_of(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Paging:
    """Return the page that the request asks for."""
    return Paging(page, per_page)


WithPaging = Annotated[Paging, Depends(paging_of)]


def read_page(
    connection: Connection, query: Select[*tuple[Any, ...]], paging: Paging
) -> dict[str, object]:
    """Read one page of the query's rows, and how many there are in all."""
    total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = connection.execute(
        query.limit(paging.per_page).offset((paging.page - 1) * paging.per_page)
    )
    return {
        "items": [dict(row._mapping) for row in rows],  # noqa: SLF001 - SQLAlchemy's public name
        "total": total,
        "page": paging.page,
        "per_page": paging.per_page,
    }


def write_listing(listing: dict[str, Any], release: Release) -> bytes:
    """Write a page as that release does."""
    items = [without_hidden(item, release) for item in listing["items"]]
    return json.dumps({**listing, "items": items}, ensure_ascii=False).encode()


def write_policy(row: Row[*tuple[Any, ...]], release: Release) -> bytes:
    """Write a policy as that release does."""
    fields = without_hidden(dict(row._mapping), release)  # noqa: SLF001 - SQLAlchemy's public name
    return json.dumps(fields, ensure_ascii=False).encode()


def without_hidden(fields: dict[str, object], release: Release) -> dict[str, object]:
    """Leave out what that release doesn't know."""
    return {name: value for name, value in fields.items() if name not in release.hidden_fields}
