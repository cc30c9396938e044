"""Elements of a page, named by what people see: `{button: Sign in}`, never by CSS."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.variables import as_written

# WAI-ARIA 1.2, the roles that a person can point at.
# fmt: off
ROLES = (
    "alert", "alertdialog", "article", "banner", "button", "cell", "checkbox", "columnheader",
    "combobox", "complementary", "contentinfo", "dialog", "figure", "form", "grid", "gridcell",
    "heading", "img", "link", "list", "listbox", "listitem", "log", "main", "menu", "menubar",
    "menuitem", "menuitemcheckbox", "menuitemradio", "meter", "navigation", "option",
    "progressbar", "radio", "radiogroup", "region", "row", "rowheader", "search", "searchbox",
    "slider", "spinbutton", "status", "switch", "tab", "table", "tablist", "tabpanel", "textbox",
    "toolbar", "tooltip", "tree", "treeitem",
)
# fmt: on
LABEL, TEXT = "label", "text"
KINDS = (*ROLES, LABEL, TEXT)
_BESIDE = ("nth", "inside")
_FORM = "{button: Sign in}"
_INSIDE = "{link: Search, inside: {navigation: Main}}"


@dataclass(frozen=True, slots=True)
class Element:
    """What a person would point at.

    Attributes:
        kind: Its role, or `label` of a field, or `text`.
        name: Its whole accessible name, label or text; None for any.
        pattern: A regular expression for the name instead.
        nth: Which of several, from 1 on.
        inside: What it stands in.
    """

    kind: str
    name: str | None = None
    pattern: str | None = None
    nth: int | None = None
    inside: "Element | None" = None

    def __str__(self) -> str:
        """As people call it: the 2nd link in navigation "Main"."""
        name = f' "{self.name}"' if self.name else f" like /{self.pattern}/" if self.pattern else ""
        count = f"{self.nth}. " if self.nth else ""
        inside = f" in {self.inside}" if self.inside else ""
        return f"{count}{self.kind}{name}{inside}"

    def written(self) -> dict[str, Any]:
        """Answer the element as a file has it."""
        name = {"matches": self.pattern} if self.pattern else self.name
        return {
            self.kind: name,
            **({"nth": self.nth} if self.nth else {}),
            **({"inside": self.inside.written()} if self.inside else {}),
        }

    def templates(self) -> Iterator[str]:
        """Its texts that may have places for values; patterns have none."""
        yield self.name or ""
        if self.inside:
            yield from self.inside.templates()


def read_element(value: object) -> Element:
    """Read one element.

    Raises:
        ValueError: It isn't understood.

    >>> str(read_element({"link": "Search", "inside": {"navigation": "Main"}}))
    'link "Search" in navigation "Main"'
    """
    if isinstance(value, Element):
        return value
    if not isinstance(value, Mapping):
        said = f"{as_written(value)} doesn't say" if isinstance(value, str) else "must say"
        raise ValueError(f"{said} what people see. Write it as in {_FORM}")  # noqa: TRY004 - pydantic's protocol
    kind = _read_kind(value)
    name, pattern = _read_name(value[kind])
    nth = value.get("nth")
    if nth is not None and (isinstance(nth, bool) or not isinstance(nth, int) or nth < 1):
        raise ValueError("`nth` takes a whole number from 1 on")
    if kind in {LABEL, TEXT} and name is None and pattern is None:
        raise ValueError(f"`{kind}` needs its words")
    inside = value.get("inside")
    if inside is not None and not isinstance(inside, Mapping):
        raise ValueError(f"`inside` takes what it stands in. Write it as in {_INSIDE}")
    return Element(kind, name, pattern, nth, None if inside is None else read_element(inside))


def _read_kind(value: Mapping[str, object]) -> str:
    """The one key that says what it is."""
    kinds = [key for key in value if key not in _BESIDE]
    wrong = next((kind for kind in kinds if kind not in KINDS), None)
    if wrong is not None:
        raise ValueError(
            f"{as_written(wrong)} is nothing that people see."
            f"{did_you_mean(str(wrong), (*KINDS, *_BESIDE))} Write a role of ARIA, `label` or "
            f"`text`, as in {_FORM}"
        )
    if len(kinds) != 1:
        raise ValueError(f"must name one thing. Write it as in {_FORM}")
    return kinds[0]


def _read_name(value: object) -> tuple[str | None, str | None]:
    """A name, or a pattern for one."""
    if value is None:
        return None, None
    if isinstance(value, str) and value.strip():
        return str(value), None
    pattern = value.get("matches") if isinstance(value, Mapping) and len(value) == 1 else None
    if not isinstance(pattern, str):
        raise ValueError(  # noqa: TRY004 - pydantic's protocol
            "takes its name in words, nothing for any name, or {matches: REGULAR EXPRESSION}"
        )
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{as_written(pattern)} is no regular expression: {error}") from error
    if any(names_in(pattern)):
        raise ValueError(f"{as_written(pattern)} is a pattern, which nothing is filled into")
    return None, pattern
