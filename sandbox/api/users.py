"""Accounts: who has one, and what people may say of themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection, Row, select, update

from sandbox.api.auth import Administrator, SignedIn, Word
from sandbox.api.bodies import TAKES_JSON
from sandbox.api.database import users
from sandbox.api.errors import ApiError, documented
from sandbox.api.listing import WithPaging, read_page
from sandbox.api.models import PRINTABLE
from sandbox.api.services import Services, services_of
from sandbox.flaws import Flaw

router = APIRouter(prefix="/api/v1", tags=["users"], responses=documented(401, 422, 503))

TOLD_COLUMNS = (users.c.username, users.c.role, users.c.display_name, users.c.email)
Username = Annotated[Word, Path(examples=["test"])]
DisplayName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=PRINTABLE),
]


class User(BaseModel):
    """An account, as its owner and administrators see it."""

    username: str
    role: str
    display_name: str
    email: str


class UserListing(BaseModel):
    """One page of the accounts."""

    items: list[User]
    total: int
    page: int
    per_page: int


class ProfileChange(BaseModel):
    """What people may change about their own account; what else is sent is ignored."""

    display_name: DisplayName


@router.get("/users", responses=documented(403))
async def list_users(request: Request, _: Administrator, paging: WithPaging) -> UserListing:
    """List the accounts by username, one page at a time."""
    services = services_of(request)
    query = select(*TOLD_COLUMNS).order_by(users.c.username)
    page = await services.database.run(lambda connection: read_page(connection, query, paging))
    return UserListing.model_validate(page)


@router.get("/users/{username}", responses=documented(403, 404))
async def read_user(request: Request, username: Username, principal: SignedIn) -> User:
    """Read one's own account; administrators read everybody's."""
    services = services_of(request)
    is_allowed = principal.role == "admin" or principal.username == username
    if not is_allowed and Flaw.ANY_OBJECT not in services.flaws():
        raise ApiError(403, "forbidden", "This account is somebody else's.")
    row = await services.database.run(lambda connection: find(connection, username))
    return as_told(services, row)


@router.patch("/auth/me", dependencies=TAKES_JSON, responses=documented(404, 415))
async def change_profile(request: Request, change: ProfileChange, principal: SignedIn) -> User:
    """Change one's own account."""
    services = services_of(request)
    statement = (
        update(users)
        .where(users.c.username == principal.username)
        .values(display_name=change.display_name)
    )

    def work(connection: Connection) -> Row[*tuple[Any, ...]]:
        connection.execute(statement)
        return find(connection, principal.username)

    row = await services.database.run(work)
    if Flaw.MASS_ASSIGNMENT in services.flaws():
        role = (await request.json()).get("role")
        if isinstance(role, str):
            services.assumed_roles.assume(principal.username, role)
    return as_told(services, row)


def find(connection: Connection, username: str) -> Row[*tuple[Any, ...]]:
    """Return that account; 404 when there is none."""
    query = select(*TOLD_COLUMNS).where(users.c.username == username)
    row = connection.execute(query).first()
    if row is None:
        raise ApiError(404, "not_found", "There is no such user.")
    return row


def as_told(services: Services, row: Row[*tuple[Any, ...]]) -> User:
    """Return the account as the API tells it."""
    role = services.assumed_roles.of(row.username, row.role)
    return User(username=row.username, role=role, display_name=row.display_name, email=row.email)
