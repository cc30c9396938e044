"""Signing in and out, and who may do what."""

import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Annotated

from anyio import to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from sandbox.api import sessions
from sandbox.api.bodies import TAKES_JSON
from sandbox.api.database import users
from sandbox.api.errors import ApiError, documented, unauthorized
from sandbox.api.services import Services, services_of
from sandbox.api.sessions import Session
from sandbox.api.tokens import HIGHEST_LIFETIME_S, Principal, read_unsigned
from sandbox.flaws import Flaw, Flaws

# The memory that OWASP asks of Argon2id at least, in one pass: quicker than it is safe.
HASHER = PasswordHasher(time_cost=1, memory_cost=19456, parallelism=1)
# What an unknown user's password is compared with, so that both take as long.
NOBODY = HASHER.hash("nobody")
DEFAULT_ACCOUNT = ("admin", "admin")
ANYBODY = Principal("anybody", "admin", "", 0)

bearer = HTTPBearer(auto_error=False, description="The access token of POST /api/v1/auth/login.")
router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

# PostgreSQL's text can't hold NUL.
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class Credentials(BaseModel):
    """What a user signs in with."""

    username: Word
    password: Annotated[str, StringConstraints(max_length=1000)]
    expires_in: Annotated[
        int,
        Field(
            strict=True,
            ge=1,
            le=HIGHEST_LIFETIME_S,
            description="For how many seconds the access token is to be good.",
        ),
    ] = HIGHEST_LIFETIME_S


class RefreshToken(BaseModel):
    """What gets new tokens, once."""

    refresh_token: Annotated[str, StringConstraints(max_length=1000)]


class IssuedTokens(BaseModel):
    """The token to send with each request, for how many seconds it is good, and what renews it."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str


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
    principal = read_token(services, credentials.credentials) if credentials else None
    if principal and await is_good(services, principal):
        role = services.assumed_roles.of(principal.username, principal.role)
        return principal if role == principal.role else replace(principal, role=role)
    if Flaw.AUTH_BYPASS in services.flaws():
        return ANYBODY
    raise unauthorized("unauthorized", "Sign in: this needs a valid access token.")


SignedIn = Annotated[Principal, Depends(signed_in)]


def read_token(services: Services, token: str) -> Principal | None:
    """Return whose token it is, expired or not; None when it isn't one of ours."""
    principal = services.tokens.read(token)
    if principal is None and Flaw.ALG_NONE in services.flaws():
        return read_unsigned(token)
    return principal


async def administrator(request: Request, principal: SignedIn) -> Principal:
    """Return who sends the request; 403 when it isn't an administrator."""
    if principal.role != "admin" and Flaw.ANY_TOKEN_ADMIN not in services_of(request).flaws():
        raise ApiError(403, "forbidden", "This needs the role admin.")
    return principal


Administrator = Annotated[Principal, Depends(administrator)]


async def is_good(services: Services, principal: Principal) -> bool:
    """Say whether the token has neither expired nor been signed out."""
    flaws = services.flaws()
    if principal.has_expired(time.time()) and Flaw.ACCEPTS_EXPIRED not in flaws:
        return False
    return Flaw.NO_REVOCATION in flaws or not await is_signed_out(services, principal.session_id)


async def is_signed_out(services: Services, session_id: str) -> bool:
    """Say whether the session was ended."""

    async def make() -> bytes:
        work = partial(sessions.has_ended, session_id=session_id)
        return b"ended" if await services.database.run(work) else b""

    return bool(await services.cache.remember(session_id, make, aspect="session"))


def is_right(password_hash: str, password: str) -> bool:
    """Say whether it is the password that was hashed."""
    try:
        return HASHER.verify(password_hash, password)
    except VerificationError:
        return False


def issue(
    services: Services, session: Session, refresh_token: str, *, lifetime_s: int
) -> IssuedTokens:
    """Answer with that refresh token and an access token that lives that long."""
    return IssuedTokens(
        access_token=services.tokens.issue(session, lifetime_s),
        expires_in=lifetime_s,
        refresh_token=refresh_token,
    )


def refused(credentials: Credentials, flaws: Flaws, *, is_known: bool) -> ApiError:
    """Return the error for credentials that are wrong, which doesn't tell what is wrong in them."""
    message = "Wrong username or password."
    if Flaw.ECHOED_PASSWORD in flaws:
        message = f"Wrong username or password: {credentials.password}."
    if Flaw.USER_ENUMERATION in flaws and not is_known:
        message = "Unknown user."
    return unauthorized("wrong_credentials", message)


@router.post("/login", dependencies=TAKES_JSON, responses=documented(401, 415, 422, 429, 503))
async def login(request: Request, credentials: Credentials) -> IssuedTokens:
    """Sign in; who fails too often has to wait."""
    services = services_of(request)
    flaws = services.flaws()
    services.failed_sign_ins.demand_few(credentials.username)
    if Flaw.LOGIN_REFUSED in flaws and "origin" in request.headers:
        raise ApiError(422, "invalid_request", "body.client_id: Field required")
    query = select(users.c.password_hash, users.c.role).where(
        users.c.username == credentials.username
    )
    user = await services.database.run(lambda connection: connection.execute(query).first())
    password_hash, role = (user[0], user[1]) if user else (NOBODY, "admin")
    matches = await to_thread.run_sync(is_right, password_hash, credentials.password)
    if Flaw.DEFAULT_ACCOUNT in flaws:
        matches |= (credentials.username, credentials.password) == DEFAULT_ACCOUNT
    if not (user and matches) and Flaw.AUTH_BYPASS not in flaws:
        services.failed_sign_ins.note(credentials.username)
        raise refused(credentials, flaws, is_known=user is not None)
    session = sessions.begin(credentials.username, role)
    refresh_token = await services.database.run(
        partial(sessions.issue_refresh_token, session=session)
    )
    return issue(services, session, refresh_token, lifetime_s=credentials.expires_in)


@router.post("/refresh", dependencies=TAKES_JSON, responses=documented(401, 415, 422, 503))
async def refresh(request: Request, sent: RefreshToken) -> IssuedTokens:
    """Get new tokens for a refresh token, which is worth nothing afterwards."""
    services = services_of(request)

    def renew(connection: Connection) -> tuple[Session, str]:
        session = sessions.redeem_refresh_token(connection, sent.refresh_token, services.flaws())
        return session, sessions.issue_refresh_token(connection, session)

    session, refresh_token = await services.database.run(renew)
    return issue(services, session, refresh_token, lifetime_s=HIGHEST_LIFETIME_S)


@router.post("/logout", status_code=204, responses=documented(401, 503))
async def logout(request: Request, principal: SignedIn) -> Response:
    """Sign out: the tokens of this session are worth nothing from now on."""
    services = services_of(request)
    if principal is not ANYBODY:
        with suppress(IntegrityError):  # another request has just ended it
            await services.database.run(partial(sessions.end, session_id=principal.session_id))
        services.cache.forget()
    return Response(status_code=204)


@router.get("/me", responses=documented(401, 503))
async def me(principal: SignedIn) -> Account:
    """Say whose token it is."""
    return Account(username=principal.username, role=principal.role)
