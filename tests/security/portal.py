"""A small portal with accounts, served for real, and what may be wrong with it."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from deployment_gate.environment import ApiTarget

PASSWORDS = {"ann": "a-password-of-ann", "root-of-all": "a-password-of-the-root"}
ROLES = {"ann": "reader", "root-of-all": "admin"}
MOST_FAILURES = 10
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECRET = secrets.token_bytes(32)

BEARER = [{"bearer": []}]
DOCUMENT: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Portal", "version": "1"},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/about": {"get": {"responses": {"200": {"description": "Who we are"}}}},
        "/me": {
            "get": {"security": BEARER, "responses": {"200": {"description": "You"}}},
            "patch": {
                "security": BEARER,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"type": "object", "required": ["nick"]}}
                    },
                },
                "responses": {"200": {"description": "You"}},
            },
        },
        "/notes": {
            "get": {"security": BEARER, "responses": {"200": {"description": "Notes"}}},
            "post": {
                "security": BEARER,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"type": "object", "required": ["text"]}}
                    },
                },
                "responses": {"201": {"description": "Made"}},
            },
        },
        "/notes/{note_id}": {
            "parameters": [
                {"name": "note_id", "in": "path", "required": True, "schema": {"type": "integer"}}
            ],
            "get": {"security": BEARER, "responses": {"200": {"description": "A note"}}},
            "delete": {"security": BEARER, "responses": {"204": {"description": "Gone"}}},
        },
        "/accounts": {"get": {"security": BEARER, "responses": {"200": {"description": "All"}}}},
    },
}


@dataclass
class Portal:
    """What the portal keeps, and what is wrong with it.

    Attributes:
        url: Where it is.
        flaws: What is wrong with it.
        kind: How its tokens are made: HS256, RS256 or opaque.
        requests: What reached it, in order: method, path with its query, and the status.
        wrong: Wrong passwords for each username.
        roles: Who may do what.
        nicks: How people like to be called.
        document: How it describes itself.
    """

    url: str = ""
    flaws: set[str] = field(default_factory=set)
    kind: str = "HS256"
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    roles: dict[str, str] = field(default_factory=dict)
    nicks: dict[str, str] = field(default_factory=dict)
    opaque: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    cached: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=lambda: DOCUMENT)
    lifetime_s: float = 3600.0

    def reset(self) -> None:
        """Nobody signed in, nothing wrong."""
        fresh = Portal(url=self.url, roles=dict(ROLES), nicks=dict(zip(ROLES, "AR", strict=True)))
        for name, value in vars(fresh).items():
            setattr(self, name, value)

    def api(self, **more: Any) -> ApiTarget:
        """What an environment says of it."""
        identities = {
            name: {"username": name, "password": SecretStr(PASSWORDS[name]), "role": role}
            for name, role in ROLES.items()
        }
        section = {
            "base_url": self.url,
            "login": {
                "request": "POST /login",
                "token": "$.token",
                "lifetime": "$.expires_in",
                "short_lived": {"expires_in": 1},
            },
            "logout": "POST /logout",
            "identities": identities,
            "whoami": {"path": "/me", "username": "$.username", "role": "$.role"},
            "collections": {
                "notes": {"path": "/notes", "item": "/notes/{{id}}", "items": "$.items"}
            },
            "openapi": {"path": "/openapi.json"},
        }
        return ApiTarget.model_validate(section | more)

    def statuses(self, method: str, path: str) -> list[int]:
        """How requests for a path were answered, whatever their query was."""
        return [
            status
            for asked, where, status in self.requests
            if (asked, where.partition("?")[0]) == (method, path)
        ]

    def issue(self, username: str, lifetime_s: float) -> str:
        """A token for somebody."""
        claims = {"sub": username, "exp": time.time() + lifetime_s}
        if "same-token" not in self.flaws:
            claims["jti"] = secrets.token_hex(8)
        if self.kind == "opaque":
            token = secrets.token_urlsafe(24)
            self.opaque[token] = claims
            return token
        if "same-token" in self.flaws:
            claims["exp"] = 4102444800.0
        key: Any = KEY if self.kind == "RS256" else SECRET
        return jwt.encode(claims, key, self.kind, headers={"kid": "one"})

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """What a token says; None where it isn't good."""
        if self.kind == "opaque":
            if "short-compare" in self.flaws:
                found = [one for known, one in self.opaque.items() if token[:8] == known[:8]]
                return found[0] if found else None
            return self.opaque.get(token)
        try:
            algorithm = jwt.get_unverified_header(token)["alg"]
            if self._forgets_to_verify(token, algorithm):
                return dict(jwt.decode(token, options={"verify_signature": False}))
            if "key-confusion" in self.flaws and algorithm == "HS256":
                return self._signed_with_the_public_key(token)
            key: Any = KEY.public_key() if self.kind == "RS256" else SECRET
            found = jwt.decode(token, key, algorithms=[self.kind], options={"verify_exp": False})
            return dict(found)
        except jwt.PyJWTError:
            return None

    def _forgets_to_verify(self, token: str, algorithm: str) -> bool:
        is_unsigned = token.endswith(".")
        return (
            ("alg-none" in self.flaws and algorithm.lower() == "none")
            or ("stripped" in self.flaws and is_unsigned and algorithm == self.kind)
            or ("unverified" in self.flaws and not is_unsigned)
        )

    @staticmethod
    def _signed_with_the_public_key(token: str) -> dict[str, Any] | None:
        pem = KEY.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        signed, _, signature = token.rpartition(".")
        mac = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
        if jwt.utils.base64url_decode(signature) != mac:
            return None
        return dict(jwt.decode(token, options={"verify_signature": False}))

    def who(self, request: Request) -> str:
        """Who sends a request; 401 for a stranger."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if "any-header" in self.flaws and token:
            return "ann"
        if "redirects" in self.flaws and not token:
            raise HTTPException(302, headers={"Location": "/sign-in"})
        claims = self.claims_of(token) if token else None
        if claims is None:
            raise HTTPException(self._refusal, "sign in")
        if claims["exp"] < time.time() and "accepts-expired" not in self.flaws:
            raise HTTPException(401, "too late")
        if token in self.ended and "no-revocation" not in self.flaws:
            raise HTTPException(401, "signed out")
        return str(claims["sub"])

    @property
    def _refusal(self) -> int:
        """With what it refuses a token that isn't good."""
        odd = {"fails-on-odd-tokens": 500, "odd-refusals": 422}
        return next((status for flaw, status in odd.items() if flaw in self.flaws), 401)

    def account(self, name: str) -> dict[str, Any]:
        """What is known of somebody."""
        return {"username": name, "role": self.roles[name], "nick": self.nicks[name]}


def make_app(portal: Portal) -> FastAPI:  # noqa: C901, PLR0915  # one short route after another
    """The portal's API."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def note(request: Request, proceed: Any) -> Response:
        where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        is_cached = "cache" in portal.flaws and request.method == "GET"
        if is_cached and where in portal.cached:
            body, status = portal.cached[where]
            answer = Response(body, status, media_type="application/json")
        else:
            answer = await proceed(request)
            if is_cached and answer.status_code == 200:
                body = b"".join([part async for part in answer.body_iterator])  # type: ignore[attr-defined]
                portal.cached[where] = body, answer.status_code
                answer = Response(body, 200, media_type="application/json")
        portal.requests.append((request.method, where, answer.status_code))
        return answer

    @app.get("/openapi.json")
    async def document() -> Mapping[str, Any]:
        return portal.document

    @app.get("/.well-known/jwks.json")
    async def keys() -> dict[str, Any]:
        if portal.kind != "RS256":
            raise HTTPException(404)
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**key, "kid": "one", "use": "sig"}]}

    @app.post("/login")
    def login(body: dict[str, Any]) -> Any:
        if "username" not in body or "password" not in body:
            told = {
                "detail": "missing",
                **({"input": body} if "echoes-input" in portal.flaws else {}),
            }
            return JSONResponse(told, 422)
        name, password = str(body["username"]), str(body["password"])
        if portal.wrong[name] >= MOST_FAILURES and "unlimited" not in portal.flaws:
            retry = {} if "no-retry-after" in portal.flaws else {"Retry-After": "60"}
            return JSONResponse({"detail": "wait"}, 429, headers=retry)
        is_default = "default-account" in portal.flaws and (name, password) == ("root", "toor")
        is_open = "any-password" in portal.flaws
        if PASSWORDS.get(name) != password and not is_default and not is_open:
            return refuse(name, password)
        lifetime_s = float(body.get("expires_in", portal.lifetime_s))
        return {"token": portal.issue(name, lifetime_s), "expires_in": lifetime_s}

    def refuse(name: str, password: str) -> Response:
        portal.wrong[name] += 1
        is_known, flaws = name in PASSWORDS, portal.flaws
        if "slow-if-known" in flaws and is_known:
            time.sleep(0.06)
        if "locks" in flaws and is_known:
            return JSONResponse({"detail": "locked"}, 423)
        told: dict[str, Any] = {"detail": "wrong", "id": secrets.token_hex(4)}
        if "tells-by-text" in flaws and not is_known:
            told["detail"] = f"{name} is unknown"
        if "counts-down" in flaws and is_known:
            told["attempts_left"] = MOST_FAILURES - portal.wrong[name]
        if "echoes-password" in flaws:
            told["detail"] = f"{password} is wrong"
        status = 404 if "tells-by-status" in flaws and not is_known else 401
        return JSONResponse(told, status)

    @app.post("/logout", status_code=204)
    async def logout(request: Request) -> None:
        if "logout-fails" in portal.flaws:
            raise HTTPException(500)
        portal.who(request)
        portal.ended.add(request.headers["Authorization"].removeprefix("Bearer "))

    @app.get("/about")
    async def about() -> dict[str, Any]:
        people = [{"name": "Ann", "E-Mail": "ann@portal.example", "phone": None}]
        return {"staff": people} if "shows-staff" in portal.flaws else {"staff": [{"phone": ""}]}

    @app.get("/me")
    async def me(request: Request) -> dict[str, Any]:
        return portal.account(portal.who(request))

    @app.patch("/me")
    async def change(request: Request) -> Any:
        name, body = portal.who(request), await request.json()
        if "refuses-changes" in portal.flaws or "nick" not in body:
            raise HTTPException(422, "nick")
        is_strict = "takes-role-alone" in portal.flaws
        if is_strict and body.keys() - {"nick", "role"}:
            raise HTTPException(422, "unknown fields")
        portal.nicks[name] = body["nick"]
        if portal.flaws & {"takes-role", "takes-role-alone"} and "role" in body:
            portal.roles[name] = body["role"]
            if "keeps-role" in portal.flaws:
                portal.flaws -= {"takes-role", "takes-role-alone"}
        return {"ok": True}

    @app.get("/notes")
    async def notes(request: Request) -> dict[str, Any]:
        portal.who(request)
        return {"items": [{"id": 1, "text": "a note"}]}

    @app.post("/notes", status_code=201)
    async def add(request: Request) -> dict[str, Any]:
        body = await request.json()
        if "looks-first" in portal.flaws and "text" not in body:
            raise HTTPException(422, "text")
        portal.who(request)
        raise HTTPException(422, "text")

    @app.get("/notes/{note_id}")
    async def read(note_id: int, request: Request) -> dict[str, Any]:
        if "open-operation" not in portal.flaws:
            try:
                portal.who(request)
            except HTTPException:
                if "hides" in portal.flaws:
                    raise HTTPException(404) from None
                raise
        if note_id != 1:
            raise HTTPException(404)
        return {"id": note_id, "text": "a note"}

    @app.delete("/notes/{note_id}")
    async def remove(note_id: int, request: Request) -> None:  # noqa: ARG001  # its place
        if portal.roles[portal.who(request)] != "admin":
            raise HTTPException(403)
        raise HTTPException(404)

    @app.get("/accounts")
    async def accounts(request: Request) -> list[dict[str, Any]]:
        name = portal.who(request)
        if portal.roles[name] != "admin" and "any-admin" not in portal.flaws:
            raise HTTPException(500 if "fails" in portal.flaws else 403)
        return list(map(partial(Portal.account, portal), portal.roles))

    @app.get("/accounts/{name}")
    async def account(name: str, request: Request) -> dict[str, Any]:
        asking = portal.who(request)
        may = name == asking or portal.roles[asking] == "admin" or "any-object" in portal.flaws
        if not may:
            raise HTTPException(404)
        return portal.account(name)

    return app
