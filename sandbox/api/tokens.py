"""Signed tokens: made at login, checked at each request."""

import secrets
import time
from dataclasses import dataclass

import jwt
from cachetools import LRUCache

LIFETIME_S = 3600
ALGORITHM = "HS256"
ISSUER = "openpolicy-sandbox"
AUDIENCE = "openpolicy-api"


@dataclass(slots=True, frozen=True)
class Principal:
    """Who sends a request, and the token that says so."""

    username: str
    role: str
    jti: str
    expires_at: int


class Tokens:
    """Signs with a secret of this run: tokens of another run are worth nothing."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._verified: LRUCache[str, Principal] = LRUCache(1024)

    def issue(self, username: str, role: str) -> str:
        """Return a token for that user."""
        issued_at = int(time.time())
        claims = {
            "sub": username,
            "role": role,
            "iat": issued_at,
            "exp": issued_at + LIFETIME_S,
            "jti": secrets.token_hex(16),
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Principal | None:
        """Return whose token it is; None when it isn't a valid one of ours."""
        principal = self._verified.get(token) or self._verify(token)
        if principal is None or principal.expires_at <= time.time():
            return None
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
                options={"require": ["sub", "exp", "iat", "jti", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return Principal(claims["sub"], claims["role"], claims["jti"], claims["exp"])
