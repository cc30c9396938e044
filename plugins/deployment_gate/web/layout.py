"""What a page looks like at the width of its window: too wide, too small, broken, nameless."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SMALLEST_TARGET_PX = 24
"""Width and height that a target needs (WCAG 2.2, success criterion 2.5.8, level AA)."""

_LIMITS = {
    "mostElements": 5000,
    "mostWider": 5,
    "targetPx": SMALLEST_TARGET_PX,
    "nameLength": 40,
    "addressLength": 200,
    "decodeMs": 1000,
}


@dataclass(frozen=True, slots=True)
class SmallTarget:
    """Something to click or touch that is too small, and too close to another one.

    Attributes:
        what: Its kind and its name, as in `link "More"`.
        width: Of its box, in CSS pixels.
        height: Of its box, in CSS pixels.
    """

    what: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """One page at one width.

    Attributes:
        overflow_px: How far it can be scrolled sideways.
        wider: The outermost elements that make it so wide, at most five.
        small_targets: What fails WCAG 2.2, 2.5.8, exceptions considered.
        headings: Texts of the main headings; those that only screen readers see count.
        title: The document's.
        language: Its lang attribute, or nothing.
        broken_images: Addresses of images that didn't load, or can't be decoded.
        links: Absolute addresses of its links, without fragments, each once, in order.
        navigation_links: How many links of its navigation can be seen.
        menu_button: The name of what opens its navigation, where there is such a button.
        is_whole: It has no more elements than were looked at.
    """

    overflow_px: int
    wider: tuple[str, ...]
    small_targets: tuple[SmallTarget, ...]
    headings: tuple[str, ...]
    title: str
    language: str
    broken_images: tuple[str, ...]
    links: tuple[str, ...]
    navigation_links: int
    menu_button: str | None
    is_whole: bool

    @property
    def has_navigation(self) -> bool:
        """Its navigation can be seen, or a button that opens it."""
        return self.navigation_links > 0 or self.menu_button is not None


def measure_layout(page: Page) -> Layout:
    """Look at a page as it is now, without changing it.

    Args:
        page: A loaded page, in a window of the width that is of interest.

    Raises:
        playwright.sync_api.Error: The page went away meanwhile.
    """
    found: dict[str, Any] = page.evaluate(_script(), _LIMITS)
    lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    targets = tuple(SmallTarget(**target) for target in found["small_targets"])
    return Layout(**{**found, **lists, "small_targets": targets})


def overflow_faults(layout: Layout) -> list[str]:
    """What is wrong with its width."""
    if layout.overflow_px <= 0:
        return []
    cause = f", because of {', '.join(layout.wider)}" if layout.wider else ""
    return [f"the page scrolls {layout.overflow_px} px sideways{cause}"]


def target_faults(layout: Layout) -> list[str]:
    """What is too small to be hit; what is alike is said once."""
    needed = f"{SMALLEST_TARGET_PX} x {SMALLEST_TARGET_PX} are needed (WCAG 2.2, 2.5.8)"
    return [
        f"{target.what} is {target.width:g} x {target.height:g} px"
        f"{f', {count} times' if count > 1 else ''}; {needed}"
        for target, count in Counter(layout.small_targets).items()
    ]


def image_faults(layout: Layout) -> list[str]:
    """Which images a person doesn't get to see."""
    return [f"the image {source} is broken" for source in dict.fromkeys(layout.broken_images)]


def heading_faults(layout: Layout) -> list[str]:
    """What keeps a person from knowing where they are."""
    faults = []
    if not layout.title:
        faults.append("the page has no title")
    if not layout.headings:
        faults.append("the page has no visible main heading (h1)")
    return faults


@cache
def _script() -> str:
    return resources.files(__package__).joinpath("layout.js").read_text(encoding="utf-8")
