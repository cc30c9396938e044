"""Pages as their server sends them, before any script has run."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID_FIELDS = frozenset({"hidden", "submit", "button", "image", "reset", "checkbox", "radio"})


@dataclass(slots=True)
class Field:
    """A field of a form.

    Attributes:
        kind: Its type.
        id: By which a label may name it.
        label: What it is called.
    """

    kind: str
    id: str
    label: str = ""


@dataclass(slots=True)
class Form:
    """A form: its fields in their order, and what its buttons say."""

    fields: list[Field] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Markup:
    """What a page has.

    Attributes:
        headings: Its main headings.
        links: Where its links lead, as they are written.
        forms: Its forms.
    """

    headings: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)


def read_markup(text: str) -> Markup:
    """Read a page.

    >>> page = read_markup("<h1>Sign <em>in</em></h1><a href='/help'>Help</a>")
    >>> page.headings, page.links
    (['Sign in'], ['/help'])
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.name_fields()
    return reader.markup


class _Reader(HTMLParser):
    """Notes what is of use, tag by tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup = Markup()
        self._texts: dict[str, list[str]] = {}
        self._form: Form | None = None
        self._label_for = ""
        self._within_label: list[Field] = []
        self._labels: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that opens."""
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "h1" | "button":
                self._texts[tag] = []
            case "label":
                self._texts[tag] = []
                self._label_for = given.get("for", "")
            case "a" if "href" in given:
                self.markup.links.append(given["href"])
            case "form":
                self._form = Form()
                self.markup.forms.append(self._form)
            case "input":
                self._input(given)

    def _input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text").lower()
        if self._form is None:
            return
        if kind == "submit":
            self._form.buttons.append(given.get("value", "").strip())
        elif kind not in _VOID_FIELDS:
            found = Field(kind, given.get("id", ""), given.get("aria-label", ""))
            self._form.fields.append(found)
            if "label" in self._texts:
                self._within_label.append(found)

    def handle_endtag(self, tag: str) -> None:
        """Note a tag that closes."""
        if tag == "form":
            self._form = None
        parts = self._texts.pop(tag, None)
        if parts is None:
            return
        text = " ".join("".join(parts).split())
        if tag == "h1" and text:
            self.markup.headings.append(text)
        elif tag == "button" and self._form is not None:
            self._form.buttons.append(text)
        elif tag == "label":
            for one in self._within_label:
                one.label = one.label or text
            self._within_label = []
            if self._label_for:
                self._labels[self._label_for] = text

    def handle_data(self, data: str) -> None:
        """Note text."""
        for parts in self._texts.values():
            parts.append(data)

    def name_fields(self) -> None:
        """Give fields the labels that name them."""
        for form in self.markup.forms:
            for one in form.fields:
                one.label = one.label or self._labels.get(one.id, "")
