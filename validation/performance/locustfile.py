"""What people do on the platform, in realistic proportions: browse policies, open one, search.

`pytest -m performance` runs it at the rates that the environment says. By itself it runs as any
Locust file: locust -f validation/performance/locustfile.py --headless -u 5 -r 5 --host URL
"""

from __future__ import annotations

import os
import random
from typing import Any
from urllib.parse import urlencode

from locust import between, task

from deployment_gate.load.users import Answer, PacedUser, password, username

PER_PAGE = 20
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"status": "active"},
    {"category": "security"},
    {"status": "active", "category": "privacy"},
)
SANDBOX_PASSWORD = "test-password-of-the-sandbox"  # noqa: S105 -- the sandbox is open to all
WORDS = ("policy", "security", "data", "access", "review")
# A new token is taken before the old one ends.
SHARE_OF_LIFETIME = 0.8


class Reader(PacedUser):
    """Signs in once, and reads."""

    # Without a plan: a person reads before the next click.
    wait_time = between(1, 3)

    headers: dict[str, str]
    known: tuple[int, ...] = (1,)
    pages = 1

    def __init__(self, environment: Any) -> None:
        """Begin as a stranger."""
        super().__init__(environment)
        self.headers = {}

    def sign_in(self) -> float | None:
        """Take a token, which ends some time."""
        answer = self.ask(
            "POST",
            "/api/v1/auth/login",
            name="sign in",
            body={
                "username": username("test"),
                "password": password(os.environ.get("OPP_TEST_PASSWORD", SANDBOX_PASSWORD)),
            },
            holds=lambda answer: len(answer.json()["access_token"]) > 0,
        )
        if answer is None:
            raise LookupError("no token")
        told = answer.json()
        self.headers = {"Authorization": f"Bearer {told['access_token']}"}
        lifetime_s = told.get("expires_in")
        return SHARE_OF_LIFETIME * lifetime_s if lifetime_s else None

    @task(5)
    def browse_policies(self) -> None:
        """Look at a page of the list."""
        asked = random.choice(FILTERS)  # noqa: S311 -- nothing secret hangs on it
        page = random.randint(1, self.pages) if not asked else 1  # noqa: S311
        query = urlencode({**asked, "page": page, "per_page": PER_PAGE})
        answer = self.ask(
            "GET",
            f"/api/v1/policies?{query}",
            name="browse policies",
            headers=self.headers,
            holds=lambda answer: is_page(answer, page=page, asked=asked),
        )
        if answer and not asked:
            told = answer.json()
            self.known = tuple(item["id"] for item in told["items"])
            self.pages = -(-told["total"] // PER_PAGE)

    @task(3)
    def open_policy(self) -> None:
        """Open one that was seen."""
        wanted = random.choice(self.known)  # noqa: S311
        self.ask(
            "GET",
            f"/api/v1/policies/{wanted}",
            name="open a policy",
            headers=self.headers,
            holds=lambda answer: is_policy(answer, wanted),
        )

    @task(2)
    def search(self) -> None:
        """Look for a word."""
        word = random.choice(WORDS)  # noqa: S311
        self.ask(
            "GET",
            f"/api/v1/search?{urlencode({'q': word})}",
            name="search",
            headers=self.headers,
            holds=lambda answer: is_page(answer, page=1, asked={}),
        )


def is_page(answer: Answer, *, page: int, asked: dict[str, str]) -> bool:
    """Whether it is a whole page of what was asked for."""
    told = answer.json()
    items, total = told["items"], told["total"]
    before = (page - 1) * PER_PAGE
    return (
        total > before
        and len(items) == min(PER_PAGE, total - before)
        and all(item[name] == value for item in items for name, value in asked.items())
        and len({item["id"] for item in items}) == len(items)
    )


def is_policy(answer: Answer, wanted: int) -> bool:
    """Whether it is that policy, with its text."""
    told = answer.json()
    return bool(told["id"] == wanted and told["title"] and told["body"])
