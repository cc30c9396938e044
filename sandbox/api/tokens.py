"""Signed access tokens: made at login and refresh, checked at each request."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cachetools import LRUCache

from sandbox.api.sessions import Session

HIGHEST_LIFETIME_S = 3600
ALGORITHM = "HS256"
ISSUER = "openpolicy-sandbox"
AUDIENCE = "openpolicy-api"
REQUIRED = ["sub", "role", "sid", "exp", "iat", "jti", "iss", "aud"]


@dataclass(slots=True, frozen=True)
class Principal:
    """Who sends a request, and what the token says of itself."""

    username: str
    role: str
    session_id: str
    expires_at: float

    def has_expired(self, now: float) -> bool:
        """Say whether the token is too old at that time."""
        return self.expires_at <= now


class Tokens:
    """Signs with a secret of this run: tokens of another run are worth nothing."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._verified: LRUCache[str, Principal] = LRUCache(1024)

    def issue(self, session: Session, lifetime_s: int) -> str:
        """Return an access token of that session."""
        issued_at = time.time()
        claims = {
            "sub": session.username,
            "role": session.role,
            "sid": session.id,
            "iat": issued_at,
            "exp": issued_at + lifetime_s,
            "jti": secrets.token_hex(16),
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Principal | None:
        """Return whose token it is, expired or not; None when it isn't one of ours."""
        principal = self._verified.get(token) or self._verify(token)
        if principal:
            self._verified[token] = principal
        return principal

    def _verify(self, token: str) -> Principal | None:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": REQUIRED, "verify_exp": False},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return principal_of(claims)


def read_unsigned(token: str) -> Principal | None:
    """Return whose token it is, as a careless release takes it that says alg none."""
    try:
        if jwt.get_unverified_header(token).get("alg") != "none":
            return None
        claims = jwt.decode(
            token,
            issuer=ISSUER,
            audience=AUDIENCE,
            options={
                "require": REQUIRED,
                "verify_signature": False,
                "verify_iss": True,
                "verify_aud": True,
            },
        )
        return principal_of({**claims, "exp": float(claims["exp"])})
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """Return whom the claims of a token name."""
    return Principal(claims["sub"], claims["role"], claims["sid"], claims["exp"])
