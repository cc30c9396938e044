"""Pages of policies: how they are asked for, and how they are written."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from sqlalchemy import Connection, Row, Select, func, select

from sandbox.api.database import policies
from sandbox.api.errors import ApiError
from sandbox.api.services import services_of
from sandbox.flaws import Flaw, Flaws
from sandbox.releases import Release

ENTRY_COLUMNS = tuple(column for column in policies.c if column.name != "body")
JSON = "application/json"
LONGEST_PAGE = 100
LONGEST_FLAWED_PAGE = 100_000

# What a flaw makes of a policy's fields.
DISTORTIONS: Mapping[Flaw, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    Flaw.WRONG_TYPE: lambda fields: {"version": str(fields["version"])},
    Flaw.UNDOCUMENTED_FIELD: lambda _: {"internal_note": "Ask the lawyers before the review."},
    Flaw.NAIVE_TIMESTAMPS: lambda fields: {"updated_at": fields["updated_at"].split("+")[0]},
}


@dataclass(slots=True, frozen=True)
class Paging:
    """The page that is asked for, and how many items stand before it."""

    page: int
    per_page: int
    offset: int


async def paging_of(
    request: Request,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    # What is documented is not what is checked: a flaw lifts the limit.
    per_page: Annotated[int, Query(ge=1, json_schema_extra={"maximum": LONGEST_PAGE})] = 20,
) -> Paging:
    """Return the page that the request asks for."""
    flaws = services_of(request).flaws()
    longest = LONGEST_FLAWED_PAGE if Flaw.UNBOUNDED_PAGES in flaws else LONGEST_PAGE
    if per_page > longest:
        raise ApiError(422, "invalid_request", f"query.per_page: It should be at most {longest}.")
    overlap = 1 if page > 1 and Flaw.OVERLAPPING_PAGES in flaws else 0
    return Paging(page, per_page, (page - 1) * per_page - overlap)


WithPaging = Annotated[Paging, Depends(paging_of)]


def read_page(
    connection: Connection, query: Select[*tuple[Any, ...]], paging: Paging
) -> dict[str, Any]:
    """Read one page of the query's rows, and how many there are in all."""
    total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = connection.execute(query.limit(paging.per_page).offset(paging.offset))
    return {
        "items": [dict(row._mapping) for row in rows],  # noqa: SLF001 - SQLAlchemy's public name
        "total": total,
        "page": paging.page,
        "per_page": paging.per_page,
    }


def write_listing(listing: Mapping[str, Any], release: Release, flaws: Flaws) -> bytes:
    """Write a page as that release does."""
    items = [as_written(item, release, flaws) for item in listing["items"]]
    return json.dumps({**listing, "items": items}, ensure_ascii=False).encode()


def write_policy(row: Row[*tuple[Any, ...]], release: Release, flaws: Flaws) -> bytes:
    """Write a policy as that release does."""
    fields = as_written(dict(row._mapping), release, flaws)  # noqa: SLF001 - SQLAlchemy's public name
    return json.dumps(fields, ensure_ascii=False).encode()


def as_written(fields: Mapping[str, Any], release: Release, flaws: Flaws) -> dict[str, Any]:
    """Leave out what that release doesn't know, and write the rest as the flaws would have it."""
    known = {name: value for name, value in fields.items() if name not in release.hidden_fields}
    for flaw, distort in DISTORTIONS.items():
        if flaw in flaws:
            known |= distort(known)
    return known
