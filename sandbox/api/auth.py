"""Signing in and out, and who may do what."""

import time
from contextlib import suppress
from typing import Annotated

from anyio import to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from sandbox.api.database import revoked_tokens, users
from sandbox.api.errors import ApiError, documented
from sandbox.api.services import Services, services_of
from sandbox.api.tokens import LIFETIME_S, Principal

# The memory that OWASP asks of Argon2id at least, in one pass: quicker than it is safe.
HASHER = PasswordHasher(time_cost=1, memory_cost=19456, parallelism=1)
# What an unknown user's password is compared with, so that both take as long.
NOBODY = HASHER.hash("nobody")
ANYBODY = Principal("anybody", "admin", "", 0)
CHALLENGE = {"WWW-Authenticate": "Bearer"}

bearer = HTTPBearer(auto_error=False, description="The access token of POST /api/v1/auth/login.")
router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

# PostgreSQL's text can't hold NUL.
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class Credentials(BaseModel):
    """What a user signs in with."""

    username: Word
    password: Annotated[str, StringConstraints(max_length=1000)]


class AccessToken(BaseModel):
    """The token to send with each request, and for how many seconds it is good."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = LIFETIME_S


class Account(BaseModel):
    """The user a token belongs to."""

    username: str
    role: str


async def signed_in(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Principal:
    """Return who sends the request; 401 without a good token."""
    services = services_of(request)
    principal = services.tokens.read(credentials.credentials) if credentials else None
    if principal and not await is_revoked(services, principal.jti):
        return principal
    if not services.conditions().requires_credentials:
        return ANYBODY
    raise ApiError(401, "unauthorized", "Sign in: this needs a valid access token.", CHALLENGE)


SignedIn = Annotated[Principal, Depends(signed_in)]


async def administrator(principal: SignedIn) -> Principal:
    """Return who sends the request; 403 when it isn't an administrator."""
    if principal.role != "admin":
        raise ApiError(403, "forbidden", "This needs the role admin.")
    return principal


Administrator = Annotated[Principal, Depends(administrator)]


async def is_revoked(services: Services, jti: str) -> bool:
    """Say whether the token was signed out."""

    def look_up(connection: Connection) -> bytes:
        query = select(revoked_tokens.c.jti).where(revoked_tokens.c.jti == jti)
        return b"revoked" if connection.execute(query).first() else b""

    async def make() -> bytes:
        return await services.database.run(look_up)

    return bool(await services.cache.remember(jti, make, aspect="revoked"))


def is_right(password_hash: str, password: str) -> bool:
    """Say whether it is the password that was hashed."""
    try:
        return HASHER.verify(password_hash, password)
    except VerificationError:
        return False


@router.post("/login", responses=documented(401, 422, 503))
async def login(request: Request, credentials: Credentials) -> AccessToken:
    """Sign in."""
    services = services_of(request)
    query = select(users.c.password_hash, users.c.role).where(
        users.c.username == credentials.username
    )
    user = await services.database.run(lambda connection: connection.execute(query).first())
    password_hash, role = (user[0], user[1]) if user else (NOBODY, "admin")
    matches = await to_thread.run_sync(is_right, password_hash, credentials.password)
    if not (user and matches) and services.conditions().requires_credentials:
        raise ApiError(401, "wrong_credentials", "Wrong username or password.", CHALLENGE)
    return AccessToken(access_token=services.tokens.issue(credentials.username, role))


@router.post("/logout", status_code=204, responses=documented(401, 503))
async def logout(request: Request, principal: SignedIn) -> Response:
    """Sign out: the token is worth nothing from now on."""
    services = services_of(request)

    def revoke(connection: Connection) -> None:
        connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < time.time()))
        connection.execute(
            insert(revoked_tokens).values(jti=principal.jti, expires_at=principal.expires_at)
        )

    if principal is not ANYBODY:
        with suppress(IntegrityError):  # another request has just revoked it
            await services.database.run(revoke)
        services.cache.forget()
    return Response(status_code=204)


@router.get("/me", responses=documented(401, 503))
async def me(principal: SignedIn) -> Account:
    """Say whose token it is."""
    return Account(username=principal.username, role=principal.role)
