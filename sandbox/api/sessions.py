"""Sessions: begun by signing in, kept by refresh tokens, ended by signing out."""

import hashlib
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from sandbox.api.database import ended_sessions, refresh_tokens, users
from sandbox.api.errors import unauthorized
from sandbox.flaws import Flaw, Flaws

REFRESH_LIFETIME_S = 86_400


@dataclass(slots=True, frozen=True)
class Session:
    """Who is signed in, from signing in to signing out; all its tokens name it."""

    id: str
    username: str
    role: str


def begin(username: str, role: str) -> Session:
    """Return a session of its own for who has just signed in."""
    return Session(secrets.token_hex(16), username, role)


def issue_refresh_token(connection: Connection, session: Session) -> str:
    """Return a new refresh token of that session; only its hash is kept."""
    now = int(time.time())
    connection.execute(delete(refresh_tokens).where(refresh_tokens.c.expires_at < now))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(refresh_tokens).values(
            token_hash=hash_token(token),
            session=session.id,
            username=session.username,
            expires_at=now + REFRESH_LIFETIME_S,
            is_used=False,
        )
    )
    return token


def redeem_refresh_token(connection: Connection, token: str, flaws: Flaws) -> Session:
    """Use the token up and return its session; of two who try at once, one is refused."""
    is_it = refresh_tokens.c.token_hash == hash_token(token)
    use = update(refresh_tokens).where(
        is_it,
        refresh_tokens.c.expires_at > time.time(),
        refresh_tokens.c.session.not_in(select(ended_sessions.c.session)),
    )
    if Flaw.REUSABLE_REFRESH not in flaws:
        use = use.where(refresh_tokens.c.is_used.is_(False))
    query = (
        select(refresh_tokens.c.session, users.c.username, users.c.role)
        .join_from(refresh_tokens, users, refresh_tokens.c.username == users.c.username)
        .where(is_it)
    )
    was_usable = connection.execute(use.values(is_used=True)).rowcount
    row = connection.execute(query).first() if was_usable else None
    if row is None:
        raise unauthorized("wrong_refresh_token", "Sign in: this refresh token is worth nothing.")
    return Session(*row)


def end(connection: Connection, session_id: str) -> None:
    """End the session: none of its tokens is worth anything from now on."""
    now = int(time.time())
    connection.execute(delete(ended_sessions).where(ended_sessions.c.expires_at < now))
    connection.execute(
        insert(ended_sessions).values(session=session_id, expires_at=now + REFRESH_LIFETIME_S)
    )


def has_ended(connection: Connection, session_id: str) -> bool:
    """Say whether the session was ended."""
    query = select(ended_sessions.c.session).where(ended_sessions.c.session == session_id)
    return connection.execute(query).first() is not None


def hash_token(token: str) -> str:
    """Return what is kept of a token; it is random enough to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
