"""A page of a file in a real browser that has no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@contextmanager
def opened(
    chromium: Browser, path: Path, *, width: int = 1280, height: int = 800, **options: Any
) -> Iterator[tuple[Page, list[str]]]:
    """The page, and what the browser complains of."""
    context = chromium.new_context(
        viewport={"width": width, "height": height}, offline=True, **options
    )
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        yield page, complaints
    finally:
        context.close()
