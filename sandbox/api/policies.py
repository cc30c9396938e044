"""Policies: listing, reading and writing them."""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    Update,
    delete,
    insert,
    select,
    update,
)

from sandbox.api.auth import Administrator, SignedIn
from sandbox.api.bodies import TAKES_JSON
from sandbox.api.database import policies
from sandbox.api.errors import ApiError, documented
from sandbox.api.listing import (
    ENTRY_COLUMNS,
    JSON,
    WithPaging,
    read_page,
    write_listing,
    write_policy,
)
from sandbox.api.models import Category, Listing, Policy, PolicyDraft, Status
from sandbox.api.services import replica_of, services_of
from sandbox.flaws import Flaw, Flaws
from sandbox.layers import now

router = APIRouter(
    prefix="/api/v1/policies", tags=["policies"], responses=documented(401, 422, 503)
)

ETAG = re.compile(r'"(\d{1,9})"')
HIGHEST_ID = 2**31 - 1  # PostgreSQL's integer
PolicyId = Annotated[int, Path(ge=1, le=HIGHEST_ID)]
IfMatch = Annotated[str | None, Header(description="The ETag of the version that is meant.")]
IfNoneMatch = Annotated[str | None, Header(description="The ETag of the version that is known.")]

AnyRow = Row[*tuple[Any, ...]]


@router.get("", responses={200: {"model": Listing}})
async def list_policies(
    request: Request,
    _: SignedIn,
    paging: WithPaging,
    status: Status | None = None,
    category: Category | None = None,
) -> Response:
    """List policies by their number, one page at a time."""
    services, release = services_of(request), replica_of(request).release
    flaws = services.flaws()
    filters = {policies.c.status: status, policies.c.category: category}

    async def make() -> bytes:
        query = select(*ENTRY_COLUMNS).order_by(policies.c.id)
        if Flaw.IGNORED_FILTER not in flaws:
            query = query.where(*(column == value for column, value in filters.items() if value))
        listing = await services.database.run(
            lambda connection: read_page(connection, query, paging)
        )
        if Flaw.WRONG_TOTAL in flaws:
            listing["total"] += 1
        return write_listing(listing, release, flaws)

    key = (flaws, release.version, paging, status, category)
    return Response(await services.cache.remember(key, make, aspect="list"), media_type=JSON)


@router.get(
    "/{policy_id}",
    responses={200: {"model": Policy}, 304: {"description": "Not Modified"}, **documented(404)},
)
async def read_policy(
    request: Request, policy_id: PolicyId, _: SignedIn, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one policy; with If-None-Match, only when it has another version."""
    services, release = services_of(request), replica_of(request).release
    flaws = services.flaws()

    async def make() -> bytes:
        row = await services.database.run(lambda connection: find(connection, policy_id))
        return write_policy(row, release, flaws)

    key = (flaws, release.version, policy_id)
    response = with_etag(await services.cache.remember(key, make, aspect="policy"))
    if if_none_match and names(if_none_match, response.headers["ETag"]):
        unchanged = {"ETag": response.headers["ETag"], "Vary": "Accept-Encoding"}
        return Response(status_code=304, headers=unchanged)
    return response


@router.post(
    "",
    status_code=201,
    dependencies=TAKES_JSON,
    responses={201: {"model": Policy}, **documented(403, 415)},
)
async def create_policy(request: Request, draft: PolicyDraft, _: Administrator) -> Response:
    """Add a policy."""
    services, release = services_of(request), replica_of(request).release
    flaws = services.flaws()

    def work(connection: Connection) -> AnyRow:
        statement = insert(policies).values(**draft.model_dump(), version=1, updated_at=now())
        created = connection.execute(statement).inserted_primary_key
        assert created
        return find(connection, created[0])

    row = await services.database.run(work)
    services.cache.forget()
    response = with_etag(write_policy(row, release, flaws), status_code=201)
    response.headers["Location"] = f"/api/v1/policies/{row.id}"
    return response


@router.put(
    "/{policy_id}",
    dependencies=TAKES_JSON,
    responses={200: {"model": Policy}, **documented(403, 404, 412, 415)},
)
async def update_policy(
    request: Request,
    policy_id: PolicyId,
    draft: PolicyDraft,
    _: Administrator,
    if_match: IfMatch = None,
) -> Response:
    """Replace a policy; with If-Match, only the version that is meant."""
    services, release = services_of(request), replica_of(request).release
    flaws = services.flaws()

    def work(connection: Connection) -> AnyRow:
        fields = draft.model_dump(exclude=set(release.hidden_fields))
        statement = update(policies).values(
            **fields, version=policies.c.version + 1, updated_at=now()
        )
        change(connection, statement.where(*is_meant(policy_id, if_match, flaws)), policy_id)
        return find(connection, policy_id)

    row = await services.database.run(work)
    services.cache.forget()
    return with_etag(write_policy(row, release, flaws))


@router.delete("/{policy_id}", status_code=204, responses=documented(403, 404, 412))
async def delete_policy(
    request: Request, policy_id: PolicyId, _: Administrator, if_match: IfMatch = None
) -> Response:
    """Remove a policy; with If-Match, only the version that is meant."""
    services = services_of(request)
    flaws = services.flaws()
    leave_alone = update(policies).values(version=policies.c.version)
    statement = leave_alone if Flaw.STICKY_DELETE in flaws else delete(policies)
    statement = statement.where(*is_meant(policy_id, if_match, flaws))
    await services.database.run(lambda connection: change(connection, statement, policy_id))
    services.cache.forget()
    return Response(status_code=204)


def find(connection: Connection, policy_id: int) -> AnyRow:
    """Return that policy; 404 when there is none."""
    query = select(*ENTRY_COLUMNS, policies.c.body).where(policies.c.id == policy_id)
    row = connection.execute(query).first()
    if row is None:
        raise ApiError(404, "not_found", f"There is no policy {policy_id}.")
    return row


def is_meant(policy_id: int, if_match: str | None, flaws: Flaws) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a row is the one that is meant."""
    by_id = policies.c.id == policy_id
    if if_match is None or if_match.strip() == "*" or Flaw.LOST_UPDATES in flaws:
        return (by_id,)
    versions = [int(version) for version in ETAG.findall(if_match)]
    return (by_id, policies.c.version.in_(versions))


def change(connection: Connection, statement: Update | Delete, policy_id: int) -> None:
    """Change the row that is meant; 404 when there is none, 412 when it has moved on."""
    if not connection.execute(statement).rowcount:
        find(connection, policy_id)
        raise ApiError(
            412, "precondition_failed", f"Policy {policy_id} has changed: read it again."
        )


def names(if_none_match: str, etag: str) -> bool:
    """Say whether the header names that ETag."""
    return if_none_match.strip() == "*" or etag.strip('"') in ETAG.findall(if_none_match)


def with_etag(content: bytes, status_code: int = 200) -> Response:
    """Answer with a policy, naming its version."""
    etag = f'"{json.loads(content)["version"]}"'
    return Response(content, status_code, media_type=JSON, headers={"ETag": etag})
