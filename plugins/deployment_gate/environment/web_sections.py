"""The `web` section: pages, how one signs in by them, journeys through them, how quick they are."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from deployment_gate.environment.data_fields import Size
from deployment_gate.environment.elements import Element, read_element
from deployment_gate.environment.fields import (
    Amount,
    BaseUrl,
    Count,
    Duration,
    Flag,
    HostName,
    ImpactName,
    MoveName,
    Name,
    Share,
    Text,
    UrlPath,
    Written,
)
from deployment_gate.environment.request_fields import as_several, as_tuple
from deployment_gate.environment.sections import Section
from deployment_gate.environment.templates import names_in
from deployment_gate.environment.terms import Impact, Move
from deployment_gate.environment.variables import as_written

_SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def _short_name(name: object) -> object:
    """Take a name that is a part of a file's name, too."""
    if isinstance(name, str) and not _SHORT_NAME.fullmatch(name):
        raise ValueError(
            f"{as_written(name)} is also a part of a file's name. Write it in lower-case letters, "
            "digits, - and _"
        )
    return name


ShortName: TypeAlias = Annotated[Name, BeforeValidator(_short_name)]
ElementField: TypeAlias = Annotated[
    Element,
    Written(
        read_element,
        {"$comment": Element.__name__},
        lambda element: element.written(),
    ),
]
Elements: TypeAlias = Annotated[
    tuple[ElementField, ...],
    BeforeValidator(as_several, json_schema_input_type=ElementField | list[ElementField]),
]
Hosts: TypeAlias = Annotated[tuple[HostName, ...], BeforeValidator(as_tuple)]


class Device(Section):
    """A size of screen."""

    width: Count
    """Pixels of CSS."""
    height: Count
    """Pixels of CSS."""
    touch: Flag = False
    """Whether it is a small device that is touched, as phones are."""


class WebStep(Section):
    """One thing that somebody does on a page, and what must be seen then."""

    name: Text | None = None
    """What it is called in reports; unset: what is done."""
    open: UrlPath | None = None
    """The page to go to, by its path."""
    fill: Mapping[Text, Text] = {}
    """Fields to fill, by their labels, and with what."""
    select: Mapping[Text, Text] = {}
    """Fields to choose in, by their labels, and which option."""
    click: ElementField | None = None
    """What to click."""
    press: Text | None = None
    """A key to press: Enter, Escape, Tab."""
    go: MoveName | None = None
    """Where the browser's own buttons lead: back, forward, reload."""
    see: Elements = ()
    """What must be visible then."""
    see_not: Elements = ()
    """What must not be."""
    capture: Mapping[Text, ElementField] = {}
    """What later steps may use as {{name}}: the text of an element."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields if name != "name"):
            raise ValueError("does nothing. Write `open`, `fill`, `click` or `see`")
        return self

    def sentence(self) -> str:
        """Answer what is done, in the order in which it is."""
        return self.name or ", ".join(self.deeds()) or "look"

    def deeds(self) -> Iterator[str]:
        """Yield what is done, one thing after another."""
        if self.open:
            yield f"open {self.open}"
        if self.fill:
            yield f"fill in {', '.join(self.fill)}"
        for label, option in self.select.items():
            yield f'choose "{option}" in {label}'
        if self.click:
            yield f"click {self.click}"
        if self.press:
            yield f"press {self.press}"
        if self.go:
            yield f"go {self.go}" if self.go is not Move.RELOAD else "reload"

    def templates(self) -> Mapping[str, list[str]]:
        """Answer its texts that may have places for values, by key."""
        elements = {
            "click": [self.click] if self.click else [],
            "see": self.see,
            "see_not": self.see_not,
            "capture": self.capture.values(),
        }
        return {
            "open": [self.open or ""],
            "fill": [*self.fill.values()],
            "select": [*self.select.values()],
            **{
                key: [text for element in several for text in element.templates()]
                for key, several in elements.items()
            },
        }

    def places(self) -> set[str]:
        """Answer the names that its templates stand for."""
        return {name for texts in self.templates().values() for name in names_in(texts)}


WebSteps: TypeAlias = Annotated[tuple[WebStep, ...], BeforeValidator(as_tuple)]


class WebPage(Section):
    """A page that must be well."""

    path: UrlPath
    """Where it is."""
    heading: Text | None = None
    """Its main heading; unset: any."""
    public: Flag = False
    """Whether anybody may see it without signing in."""
    smoke: Flag = False
    """Whether it is looked at after each deploy, too."""
    masks: Elements = ()
    """What looks different each time, and isn't compared with the approved picture."""


def _from_path(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


_PageField = Annotated[WebPage, BeforeValidator(_from_path, json_schema_input_type=WebPage | str)]


class Discover(Section):
    """Pages that are found by following links."""

    start: UrlPath = "/"
    """Where to begin."""
    at_most: Count = 10
    """How many pages are looked at."""


class WebJourney(Section):
    """Steps that somebody takes through pages; the first that goes wrong ends it."""

    description: str = ""
    """What it shows, for people."""
    identity: Name | None = None
    """Who takes it, signed in already; unset: nobody in particular."""
    smoke: Flag = False
    """Whether it is taken after each deploy, too."""
    writes: Flag = False
    """Whether it may change anything, which needs the environment's leave, too."""
    device: Name = "desktop"
    """The device that it is taken on."""
    steps: Annotated[WebSteps, Field(min_length=1)]
    """What is done."""
    cleanup: WebSteps = ()
    """What is done at the end in any case; a step whose values were never captured is left out."""


class Speed(Section):
    """How quick pages must be, as a person feels it."""

    # https://web.dev/articles/vitals: the limits of "good".
    largest_contentful_paint: Duration = timedelta(seconds=2.5)
    """When the largest part of what is seen at first is there."""
    cumulative_layout_shift: Amount = 0.1
    """How much of the page jumps about by itself."""
    interaction_to_next_paint: Duration = timedelta(milliseconds=200)
    """When something that was clicked shows that it was."""
    loads: Count = 5
    """How often each page is loaded for its times; more where that leaves doubt."""
    weight: Size | None = None
    """How much a first load may bring over the network; unset: it is only told."""
    requests: Count | None = None
    """How many requests a first load may send; unset: it is only told."""


class Pictures(Section):
    """How pages are compared with approved pictures."""

    tolerance: Share = 0.001
    """The share of a picture's pixels that may differ: "0.1%", or 0.001."""
    sensitivity: Share = 0.1
    """How different a pixel must be to count, from 0 (any) to 1; that of anti-aliasing never is."""
    masks: Elements = ()
    """What looks different each time, on any page."""


DEVICES = {
    "phone": Device(width=390, height=844, touch=True),
    "tablet": Device(width=820, height=1180, touch=True),
    "desktop": Device(width=1280, height=720),
}
"""The sizes of a current phone, a tablet and a laptop."""


class WebTarget(Section):
    """The web interface."""

    base_url: BaseUrl
    """What all its pages are below."""
    identity: Name | None = None
    """Which of the API's identities looks at pages that aren't public; unset: the first one."""
    sign_in: WebSteps = ()
    """How one signs in by its pages, with {{username}} and {{password}}."""
    sign_out: WebSteps = ()
    """How one signs out."""
    pages: Mapping[ShortName, _PageField] = {}
    """Pages that must be well, by name."""
    discover: Discover | None = None
    """Whether further pages are looked for; unset: where no pages are named, from its root."""
    journeys: Mapping[Name, WebJourney] = {}
    """Steps that somebody takes, by name."""
    devices: Annotated[Mapping[ShortName, Device], Field(min_length=1)] = DEVICES
    """The sizes of screen on which pages must be well, by name; unset: a phone, a tablet and a
    desktop. As soon as one is named there are no others than those that are."""
    speed: Speed = Field(default_factory=Speed)
    """How quick pages must be."""
    pictures: Pictures = Field(default_factory=Pictures)
    """How pages are compared with approved pictures."""
    inaccessible: ImpactName = Impact.SERIOUS
    """The impact from which on a violation of accessibility is a failure; less is only told."""
    third_parties: Hosts = ()
    """Hosts of others that its pages may ask, each by its whole name; all but these and those that
    the environment names elsewhere are kept from the browser."""
    timeout: Duration = timedelta(seconds=10)
    """How long a page may take to be there, and an element to be seen."""

    @property
    def finds(self) -> Discover | None:
        """How further pages are looked for, where they are."""
        return self.discover or (None if self.pages else Discover())

    @property
    def widest(self) -> str:
        """The name of the device with the widest screen."""
        return max(self.devices, key=lambda name: self.devices[name].width)

    @property
    def shown(self) -> Mapping[str, WebPage]:
        """The pages that are looked at by name: where none are named, the one at its root."""
        return self.pages or {"start": WebPage(path="/")}

    @property
    def smoke_pages(self) -> frozenset[str]:
        """Those that are looked at after each deploy, too: where none says so, the first."""
        marked = [name for name, page in self.shown.items() if page.smoke]
        return frozenset(marked or [next(iter(self.shown))])

    def is_signed_in(self, page: WebPage) -> bool:
        """Whether a page is looked at by somebody who signed in."""
        return bool(self.sign_in) and not page.public
