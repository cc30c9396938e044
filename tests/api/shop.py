"""A small shop with an API, served for real: what signs in, lists, keeps and forgets orders."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response

PASSWORDS = {"buyer": "a-buyers-password", "seller": "a-sellers-password"}
API_KEY = "a-key-for-robots"


@dataclass
class Shop:
    """What the shop keeps, and what is wrong with it.

    Attributes:
        url: Where it is.
        orders: By their ids.
        tokens: Who a token belongs to, and until when it is good.
        flaws: What is wrong with it.
        requests: What reached it, in order.
        lifetime_s: For how long a token is good.
        told_total: What its list says is the total, whatever it is.
    """

    url: str = ""
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    refreshes: dict[str, str] = field(default_factory=dict)
    flaws: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    lifetime_s: float = 3600.0
    told_total: int | None = None

    def reset(self) -> None:
        """Twelve orders, nobody signed in, nothing wrong."""
        self.orders = {number: {"id": number, "item": f"book {number}"} for number in range(1, 13)}
        self.tokens.clear()
        self.refreshes.clear()
        self.flaws.clear()
        self.requests.clear()
        self.lifetime_s = 3600.0
        self.told_total = None

    def issue(self, username: str) -> dict[str, Any]:
        """A token for somebody."""
        token, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.tokens[token] = username, time.monotonic() + self.lifetime_s
        self.refreshes[refresh] = username
        return {"access": {"token": token}, "refresh": refresh, "expires_in": self.lifetime_s}

    def who(self, request: Request) -> str:
        """Who sends a request; 401 for a stranger."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, password = base64.b64decode(value).decode().partition(":")
            if PASSWORDS.get(name) == password:
                return name
        if request.headers.get("X-Api-Key") == API_KEY:
            return "robot"
        token = value if scheme == "Bearer" else request.cookies.get("session", "")
        name, good_until = self.tokens.get(token, ("", 0.0))
        if not name or time.monotonic() > good_until:
            raise HTTPException(401, "sign in")
        return name


def make_app(shop: Shop) -> FastAPI:  # noqa: C901, PLR0915  # one short route after another
    """The shop's API."""
    app = FastAPI(title="Shop", version="1.0")

    @app.middleware("http")
    async def note(request: Request, proceed: Any) -> Response:
        shop.requests.append(f"{request.method} {request.url.path}")
        if "down" in shop.flaws:
            return Response("gone", 503)
        answer: Response = await proceed(request)
        return answer

    someone = Annotated[str, Depends(shop.who)]

    @app.post("/login")
    async def login(request: Request, response: Response) -> dict[str, Any]:
        kind = request.headers.get("Content-Type", "")
        text = (await request.body()).decode()
        given = dict(parse_qsl(text)) if "form" in kind else json.loads(text)
        name = str(given["username"])
        if PASSWORDS.get(name) != given["password"]:
            raise HTTPException(401, "wrong")
        issued = shop.issue(name)
        response.set_cookie("session", issued["access"]["token"])
        return issued

    @app.post("/refresh")
    async def refresh(request: Request) -> dict[str, Any]:
        given = await request.json()
        name = shop.refreshes.pop(given["refresh_token"], None)
        if name is None:
            raise HTTPException(401, "used")
        return shop.issue(name)

    @app.get("/me")
    async def me(name: someone) -> dict[str, str]:
        return {"name": name}

    @app.get("/orders")
    async def orders(  # noqa: PLR0913, PLR0917  # one way of paging each
        request: Request,
        response: Response,
        _: someone,
        page: int = 1,
        size: int = 5,
        offset: int | None = None,
        after: int = 0,
        item: str | None = None,
    ) -> dict[str, Any]:
        kept = [one for one in shop.orders.values() if item in {None, one["item"]}]
        start = offset if offset is not None else (page - 1) * size
        if "after" in request.query_params:
            start = sum(one["id"] <= after for one in kept)
        if "overlap" in shop.flaws and start:
            start -= 1
        shown = kept[start : start + size]
        rest = kept[start + size :]
        following = shown[-1]["id"] if shown and rest else None
        if following:
            link = f"/orders?after={following}&size={size}"
            response.headers["Link"] = f'<{link}>; rel="next"'
        total = shop.told_total or len(kept) + ("wrong-total" in shop.flaws)
        return {"data": shown, "total": total, "per_page": size, "next": following}

    @app.get("/orders/{number}")
    async def order(number: int, _: someone) -> dict[str, Any]:
        if number not in shop.orders:
            raise HTTPException(404, "none")
        return shop.orders[number]

    @app.post("/orders", status_code=201)
    async def add(request: Request, response: Response, _: someone) -> dict[str, Any]:
        number = max(shop.orders, default=0) + 1
        shop.orders[number] = {**await request.json(), "id": number}
        response.headers["ETag"] = f'"{number}"'
        if "answers-by-location" in shop.flaws:
            response.headers["Location"] = f"/orders/{number}"
        if shop.flaws & {"answers-by-location", "answers-nothing"}:
            return {}
        return shop.orders[number]

    @app.put("/orders/{number}")
    async def change(number: int, request: Request, _: someone) -> dict[str, Any]:
        shop.orders[number] = {**await request.json(), "id": number}
        return shop.orders[number]

    @app.delete("/orders/{number}", status_code=204)
    async def remove(number: int, _: someone) -> None:
        if "refuses-deletes" in shop.flaws:
            raise HTTPException(500, "no")
        if "keeps-deleted" not in shop.flaws and shop.orders.pop(number, None) is None:
            raise HTTPException(404, "none")

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of a server that serves an application until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
