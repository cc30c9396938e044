"""The web interface of a platform: its start page, pages that it links to, where one signs in."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from deployment_gate.discovery.addresses import joined, path_below
from deployment_gate.discovery.asking import Asker
from deployment_gate.discovery.controls import Controls
from deployment_gate.discovery.markup import Form, read_markup
from deployment_gate.discovery.names import slug, unused
from deployment_gate.discovery.platform import FormFound, PageFound, WebFound
from deployment_gate.discovery.rendering import Rendered, Renderer

MOST_PAGES = 5
"""Pages that are looked at, beside one to sign in by."""
_MOST_REQUESTS = 70
"""What of all requests pages may take."""

_SIGN_IN_PATHS = ("/login", "/signin", "/accounts/login/", "/users/sign_in")
_SIGNS_OUT = re.compile(r"(?:log|sign)[-_]?(?:out|off)(?:[/.?]|$)", re.IGNORECASE)
_IS_SIGN_IN = re.compile(r"log-?in|sign-?in", re.IGNORECASE)
_NO_PAGE = re.compile(
    r"\.(css|csv|db|gz|ico|jpe?g|js|json|pdf|png|rss|svg|txt|xml|zip|yaml|yml)(\?|$)", re.IGNORECASE
)
_TEMPLATE = re.compile(r"\{\{|\$\{")
_HEADING_AT_MOST = 120
_FIRST_REFUSAL = 400


@dataclass(slots=True)
class Pages:
    """What was found of a web interface.

    Attributes:
        web: It; None where nothing is shown.
        apis: The origins that its scripts ask.
        remarks: What is to be known of it.
    """

    web: WebFound | None = None
    apis: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def find_pages(
    asker: Asker, base_url: str, start: str, controls: Controls, renderer: Renderer | str
) -> Pages:
    """Look at the pages below an address, from a start page on.

    Args:
        asker: Asks for pages where there is no browser.
        base_url: What they are below.
        start: The path of the start page.
        controls: How the site answers where there is nothing.
        renderer: Shows pages, or why there is nothing that could.
    """
    walk = _Walk(asker, base_url, controls, renderer)
    walk.follow([start])
    if walk.form is None:
        walk.try_to_find_form()
    return walk.found()


class _Walk:
    """Follows links from page to page."""

    def __init__(
        self, asker: Asker, base_url: str, controls: Controls, renderer: Renderer | str
    ) -> None:
        self._asker = asker
        self._base_url = base_url
        self._controls = controls
        self._renderer = renderer
        self._pages: dict[str, PageFound] = {}
        self._waiting: deque[str] = deque()
        self._known: set[str] = set()
        self._looked = 0
        self._blocked: dict[str, None] = {}
        self._apis: dict[str, None] = {}
        self._remarks: dict[str, None] = {}
        self.form: FormFound | None = None

    def follow(self, paths: Iterable[str]) -> None:
        """Look at pages, and at those that they link to, within the bound."""
        self._wait(paths)
        while self._waiting and self._looked < MOST_PAGES:
            self._look(self._waiting.popleft())
        # The page to sign in by is worth one more.
        login = next((path for path in self._waiting if _IS_SIGN_IN.search(path)), None)
        if self.form is None and login:
            self._look(login)

    def try_to_find_form(self) -> None:
        """Look where one usually signs in, where no link leads there."""
        if self._controls.answers_pages:
            candidates = list(_SIGN_IN_PATHS[:1])
        else:
            replies = self._asker.get_all(self._base_url + path for path in _SIGN_IN_PATHS)
            candidates = [
                path
                for path, reply in zip(_SIGN_IN_PATHS, replies, strict=True)
                if reply and reply.is_success and reply.is_page and "password" in reply.text
            ][:1]
        for path in candidates:
            if _kind_of(path) not in self._known:
                self._known.add(_kind_of(path))
                self._look(path)

    def _wait(self, paths: Iterable[str]) -> None:
        for path in paths:
            is_fit = not (
                _SIGNS_OUT.search(path) or _NO_PAGE.search(path) or _TEMPLATE.search(path)
            )
            if is_fit and _kind_of(path) not in self._known:
                self._known.add(_kind_of(path))
                self._waiting.append(path)

    def _look(self, path: str) -> None:
        if self._asker.budget.spent > _MOST_REQUESTS:
            self._remarks["not all pages were looked at: that takes many requests"] = None
            self._waiting.clear()
            return
        self._looked += 1
        seen = self._seen(path)
        if seen is None:
            return
        self._blocked |= dict.fromkeys(seen.blocked)
        self._apis |= dict.fromkeys(seen.asked)
        ended = path_below(self._base_url, seen.address)
        if ended is None:
            self._remarks[f"{path} leads elsewhere, to {_plain(seen.address)}"] = None
            return
        if seen.status >= _FIRST_REFUSAL:
            self._remarks[f"{path} was answered {seen.status}"] = None
            return
        where = ended.partition("?")[0]
        if seen.form and (self.form is None):
            self._take_form(seen, where)
        asked = path.partition("?")[0]
        if where != asked and seen.form:
            self._add(path, None, is_public=False)
        self._known.add(_kind_of(where))
        self._wait(filter(None, (path_below(self._base_url, link) for link in seen.links)))
        self._add(where if where != asked else path, seen, is_public=True)

    def _take_form(self, seen: Rendered, where: str) -> None:
        form = seen.form
        if form is None:
            return
        words = form.username + form.password + form.button
        if seen.is_form_usable and words.isprintable() and not _TEMPLATE.search(words):
            self.form = FormFound(
                path=where, username=form.username, password=form.password, button=form.button
            )
        else:
            self._remarks[
                f"{where} has a form to sign in by, whose fields and button can't be told by what "
                "people see: give them labels, then write `sign_in` steps"
            ] = None

    def _add(self, path: str, seen: Rendered | None, *, is_public: bool) -> None:
        if path in self._pages or len(self._pages) > MOST_PAGES:
            return
        plain = path.partition("?")[0]
        name = unused(slug(plain, "start"), {page.name for page in self._pages.values()})
        heading = _heading(seen.headings) if seen and isinstance(self._renderer, Renderer) else None
        self._pages[path] = PageFound(name=name, path=path, heading=heading, is_public=is_public)

    def _seen(self, path: str) -> Rendered | None:
        if isinstance(self._renderer, str):
            return self._sent(path)
        address = self._base_url + path
        seen = self._renderer.show(address)
        if address in self._renderer.failures:
            why = self._renderer.failures[address]
            self._remarks[f"{path} can't be shown in the browser here: {why}"] = None
        return seen

    def _sent(self, path: str) -> Rendered | None:
        """A page as its server sends it."""
        reply = self._asker.get(self._base_url + path)
        if reply is None or not reply.is_page:
            return None
        page = read_markup(reply.text)
        links = [joined(reply.url, link) for link in page.links]
        form = next((found for one in page.forms if (found := _sign_in_form(one))), None)
        return Rendered(
            address=reply.leads_elsewhere or reply.url,
            status=reply.status,
            headings=page.headings,
            links=[link for link in links if link],
            form=form,
            is_form_usable=form is not None and all((form.username, form.password, form.button)),
        )

    def found(self) -> Pages:
        """All that was found."""
        apis = [one for one in self._apis if one != _origin(self._base_url)]
        remarks = list(self._remarks)
        if not self._pages:
            return Pages(None, apis, remarks)
        is_seen = isinstance(self._renderer, Renderer)
        if isinstance(self._renderer, str):
            remarks.append(self._renderer)
        web = WebFound(
            base_url=self._base_url,
            pages=tuple(self._pages.values()),
            form=self.form,
            is_seen=is_seen,
            third_parties=tuple(self._blocked),
            remarks=tuple(remarks),
        )
        return Pages(web, apis, [])


def _sign_in_form(form: Form) -> FormFound | None:
    kinds = [one.kind for one in form.fields]
    if kinds.count("password") != 1 or kinds.index("password") == 0:
        return None
    place = kinds.index("password")
    return FormFound(
        path="",
        username=form.fields[place - 1].label,
        password=form.fields[place].label,
        button=next(iter(form.buttons), ""),
    )


def _heading(headings: list[str]) -> str | None:
    """A heading that will be the same the next time; numbers in one change."""
    if len(headings) != 1:
        return None
    heading = headings[0]
    is_fit = heading.isprintable() and len(heading) <= _HEADING_AT_MOST
    has_number = re.search(r"\d", heading) is not None
    return heading if is_fit and not has_number and not _TEMPLATE.search(heading) else None


def _kind_of(path: str) -> str:
    """A path without what makes many of one: its query, and numbers in it."""
    return re.sub(r"\d+", "0", path.partition("?")[0])


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _plain(address: str) -> str:
    return address.partition("?")[0]
