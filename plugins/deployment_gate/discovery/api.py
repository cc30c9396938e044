"""The API of a platform, by its description and by what strangers are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deployment_gate.discovery.asking import Asker, Reply
from deployment_gate.discovery.description import Description
from deployment_gate.discovery.lists import (
    MOST,
    REFUSED,
    ListsOf,
    Shape,
    items_in,
    lists_in,
    paging_of,
)
from deployment_gate.discovery.platform import ApiFound, ListFound, LoginFound
from deployment_gate.discovery.searching import find_search, words_in
from deployment_gate.discovery.signing_in import find_login, find_whoami, login_by_challenge
from deployment_gate.openapi.tree import entries

_MOST_ANSWERED = 6
_MOST_REFUSED = 4


@dataclass(frozen=True, slots=True)
class _Asked:
    """What strangers were answered, by the API's paths."""

    replies: Mapping[str, Reply | None]

    def challenge(self) -> LoginFound | None:
        """How one signs in by what refusals say."""
        for reply in self.replies.values():
            said = reply.headers.get("WWW-Authenticate", "") if reply else ""
            if reply and reply.status in REFUSED and (login := login_by_challenge(said)):
                return login
        return None

    def refused(self) -> dict[str, int]:
        """The paths that strangers are refused."""
        return {
            path: reply.status
            for path, reply in self.replies.items()
            if reply and reply.status in REFUSED
        }

    def answered(self) -> list[str]:
        """The paths that anybody is answered."""
        return [
            path
            for path, reply in self.replies.items()
            if reply and reply.is_success and not reply.is_page and not reply.leads_elsewhere
        ]


def find_api(asker: Asker, description: Description) -> ApiFound:
    """Answer what an API's description says, as far as its answers to a stranger bear it out."""
    document, base, prefix = description.document, description.base_url, description.prefix
    shapes = lists_in(document)
    whoami = find_whoami(document, prefix)
    plain = [prefix + path for path in _plain_paths(description)][: 2 * _MOST_ANSWERED]
    listed = [prefix + shape.operation.path for shape in shapes]
    paths = [*dict.fromkeys([*listed, *([whoami[0]] if whoami else []), *plain])]
    asked = _Asked(dict(zip(paths, asker.get_all([base + path for path in paths]), strict=True)))
    lists, passed_over = _lists(asker, description, shapes, asked)
    login = find_login(document, prefix) or asked.challenge()
    words = [word for shape in shapes for word in _words(asked, prefix, shape)]
    api = ApiFound(
        base_url=base,
        described_at=description.path,
        title=str(entries(document.root.get("info")).get("title", "")),
        operations=len(document.operations),
        login=login,
        whoami=whoami if login and whoami and whoami[0] in asked.refused() else None,
        lists=tuple(lists),
        paging=paging_of(document, _those_found(shapes, lists, prefix)),
        answered=tuple(asked.answered()[:_MOST_ANSWERED]),
        refused=dict(list(asked.refused().items())[:_MOST_REFUSED]),
        passed_over=tuple(passed_over),
    )
    return replace(api, search=find_search(asker, description, words))


def _lists(
    asker: Asker, description: Description, shapes: Sequence[Shape], asked: _Asked
) -> tuple[list[ListFound], list[str]]:
    lists = ListsOf(asker, description)
    found: list[ListFound] = []
    passed_over: list[str] = []
    for shape in shapes:
        reply = asked.replies.get(lists.path_of(shape.operation))
        one = lists.found(shape, reply, used={known.name for known in found})
        if isinstance(one, ListFound):
            found.append(one)
        else:
            passed_over.append(one)
    if len(shapes) == MOST:
        passed_over.append(f"lists after the first {MOST} were not looked at")
    return found, passed_over


def _those_found(shapes: Sequence[Shape], lists: Sequence[ListFound], prefix: str) -> list[Shape]:
    paths = {one.path for one in lists}
    return [shape for shape in shapes if prefix + shape.operation.path in paths]


def _words(asked: _Asked, prefix: str, shape: Shape) -> list[str]:
    reply = asked.replies.get(prefix + shape.operation.path)
    items = items_in(reply, shape.items) if reply and reply.is_success else None
    return list(words_in(items or []))


def _plain_paths(description: Description) -> list[str]:
    """Paths that can be asked as they are; those that are about one thing come after."""
    return [
        one.path
        for one in description.document.operations
        if one.method == "GET"
        and not one.is_deprecated
        and not any(parameter.is_required for parameter in one.parameters)
        and "search" not in one.path.lower()
    ]
