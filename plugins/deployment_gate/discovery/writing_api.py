"""The `api` section of a file: what was found of the API, and what waits for somebody signed in."""

from __future__ import annotations

from deployment_gate.discovery.platform import ApiFound, ListFound
from deployment_gate.discovery.yaml_text import Lines, Raw, flow, mapping, variable

_IDENTITY = "user"
_MOST_REFUSED = 2


class ApiWriter:
    """Writes it, key after key.

    Args:
        api: What was found.
        lines: The file.
        variables: Those by which somebody signs in.
        dormant: Whether they aren't set, so that what needs them waits as a comment.
    """

    def __init__(
        self, api: ApiFound, lines: Lines, variables: tuple[str, ...], *, dormant: bool
    ) -> None:
        self._api = api
        self._lines = lines
        self._variables = variables
        self._dormant = dormant

    def write(self) -> None:
        """Write all of it."""
        api, lines = self._api, self._lines
        lines.key("api")
        lines.key("base_url", api.base_url, depth=1)
        self._login()
        self._paging()
        self._collections()
        self._search()
        self._openapi()
        self._journeys()
        for one in api.passed_over:
            lines.remark(f"Not here: {one}.", depth=1)

    def _login(self) -> None:
        api, lines, login = self._api, self._lines, self._api.login
        lines.blank()
        if login is None:
            lines.remark(
                "How one signs in was not found. Where one does, write `login:` and `identities:`, "
                "as docs/api.md tells.",
                depth=1,
            )
            return
        lines.remark(f"Signing in: {login.said_by}.", depth=1)
        if not login.is_token_described:
            lines.remark("Where its answer has the token isn't described: see to `token`.", depth=1)
        dormant = self._dormant
        lines.key("login", depth=1, dormant=dormant)
        sent = "form" if login.is_form else "body"
        keys = mapping(
            request=login.request,
            **({sent: login.fields} if login.fields else {}),
            token=login.token if login.request else None,
            refresh_token=login.refresh_token,
            lifetime=login.lifetime,
            send=login.send or None,
        )
        for key, value in keys.items():
            lines.key(key, value, depth=2, dormant=dormant)
        lines.key("identities", depth=1, dormant=dormant)
        names = ("token",) if login.takes_key else ("username", "password")
        who = {key: Raw(variable(one)) for key, one in zip(names, self._variables, strict=True)}
        lines.key(_IDENTITY, who, depth=2, dormant=dormant)
        if api.whoami:
            path, username = api.whoami
            value = mapping(path=path, username=username)
            lines.key("whoami", value, depth=1, dormant=dormant)

    def _paging(self) -> None:
        api = self._api
        if api.paging and any(self._is_written(one) for one in api.lists):
            self._lines.blank()
            dormant = self._dormant and not any(one.is_public for one in api.lists)
            self._lines.key("paging", api.paging, depth=1, dormant=dormant)

    def _is_written(self, one: ListFound) -> bool:
        """Whether a list is in the file: one that is for some alone needs somebody who is."""
        api = self._api
        if one.is_public:
            return True
        if api.login is None:
            return False
        if not one.is_for_some:
            return True
        # Without a request to sign in by, nothing else tells whether somebody is let in.
        others = [other for other in api.lists if not other.is_public and not other.is_for_some]
        return api.login.request is None and not others and one is _first_private(api)

    def _collections(self) -> None:
        api, lines = self._api, self._lines
        written = [one for one in api.lists if self._is_written(one)]
        lines.blank()
        if not api.lists:
            lines.remark(
                "No lists were found in its description. Add what it keeps lists of:", depth=1
            )
            lines.example(
                "collections:",
                "  orders: {path: /orders, items: $.items, item: '/orders/{{id}}', public: true}",
                depth=1,
            )
            return
        if written:
            dormant = self._dormant and not any(one.is_public for one in written)
            lines.key("collections", depth=1, dormant=dormant)
        for one in written:
            self._collection(one)
        for one in api.lists:
            if one not in written:
                why = (
                    "its description says that not everybody may read it. Name who may as `reader`"
                    if one.is_for_some and api.login
                    else "it asks who one is, and how one signs in was not found"
                )
                lines.remark(f"Not here: GET {one.path}; {why}.", depth=2)

    def _collection(self, one: ListFound) -> None:
        api, lines = self._api, self._lines
        if one.count is not None:
            lines.remark(f"GET {one.path} listed {one.count or 'no'} items to a stranger.", depth=2)
        else:
            lines.remark(
                f"GET {one.path} asks who one is. `fewest`: how many there are at least.", depth=2
            )
        lines.key(
            one.name,
            mapping(
                path=one.path,
                public=True if one.is_public else None,
                items=one.items if one.items != api.paging.get("items", "$.items") else None,
                fewest=None if one.count else 0,
                id=one.id if one.item and one.id != "$.id" else None,
                item=one.item,
                item_at=one.item_at if one.item and one.item_at != "$" else None,
                missing=one.missing if one.item else None,
            ),
            depth=2,
            dormant=self._dormant and not one.is_public,
        )

    def _search(self) -> None:
        api, lines, search = self._api, self._lines, self._api.search
        if search is None:
            return
        lines.blank()
        items = search.items if search.items != api.paging.get("items", "$.items") else None
        keys = mapping(path=search.path, parameter=search.parameter, items=items)
        if search.finds is not None:
            lines.key("search", {**keys, "finds": search.finds}, depth=1)
            return
        lines.remark(
            "It is searched, too; write a word for `finds` that there is something of:", depth=1
        )
        lines.example(f"search: {flow({**keys, 'finds': 'a word'})}", depth=1)

    def _openapi(self) -> None:
        api, lines = self._api, self._lines
        lines.blank()
        if api.described_at is None:
            lines.remark(
                "Its description isn't below base_url, so answers aren't held against it.", depth=1
            )
            return
        lines.remark(f"It describes {api.operations} operations.", depth=1)
        lines.key("openapi", {"path": api.described_at}, depth=1)

    def _journeys(self) -> None:
        """What can be seen without signing in, as the smoke tier's share of the API."""
        api, lines = self._api, self._lines
        lines.blank()
        lines.remark(
            "What strangers were answered when this was written. Write what people do instead, "
            "step by step, as docs/api.md tells.",
            depth=1,
        )
        lines.key("journeys", depth=1)
        lines.key("what_anybody_sees", depth=2)
        lines.key("description", "A stranger is answered where that is right, or refused", depth=3)
        lines.key("smoke", True, depth=3)  # noqa: FBT003  # a value of YAML
        lines.key("steps", depth=3)
        for path in api.answered:
            lines.item({"request": f"GET {path}"}, depth=4)
        for path in list(api.refused)[: _MOST_REFUSED if api.answered else None]:
            lines.item({"request": f"GET {path}", "expect": {"status": [401, 403]}}, depth=4)


def _first_private(api: ApiFound) -> ListFound | None:
    return next((one for one in api.lists if not one.is_public), None)
