"""What the tests of the web interface do and ask in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "test-password-of-the-sandbox"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the form."""
    page.get_by_label("Username").fill("test")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
