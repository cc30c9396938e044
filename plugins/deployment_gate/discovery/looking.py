"""Looking at a platform by its address alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from urllib.parse import urlsplit

from deployment_gate.discovery import description, health, release
from deployment_gate.discovery.addresses import (
    base_of,
    is_same_host,
    joined,
    origin_of,
    path_below,
    read_address,
)
from deployment_gate.discovery.api import find_api
from deployment_gate.discovery.asking import Asker, Budget, Reply
from deployment_gate.discovery.controls import Controls
from deployment_gate.discovery.description import Description, find_description
from deployment_gate.discovery.errors import DiscoveryError
from deployment_gate.discovery.health import IS_HEALTH, find_health, page_as_health
from deployment_gate.discovery.names import unused
from deployment_gate.discovery.pages import Pages, find_pages
from deployment_gate.discovery.platform import ApiFound, HealthFound, Platform, ReleaseFound
from deployment_gate.discovery.release import find_release
from deployment_gate.discovery.rendering import renderer
from deployment_gate.discovery.yaml_text import printable

_KEPT_FOR_THE_API = 40
"""Requests that are kept for the API's lists while addresses are tried."""
_FEWEST_TRIED = 20
_BY_HAND = "or write the file by hand, as docs/environments.md tells"


@dataclass(slots=True)
class _Site:
    """One origin of the platform.

    Attributes:
        name: Which of the platform's it is; empty where there is one alone.
        landing: What its address was answered with.
        base: What is tried first is below it.
        controls: How it answers where there is nothing.
        replies: What candidates answered, by what they are candidates for.
    """

    name: str
    landing: Reply
    base: str
    controls: Controls
    replies: dict[str, list[Reply | None]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Its scheme, host and port."""
        return origin_of(self.landing.url)


def look_at(
    address: str,
    *,
    web: str | None = None,
    user_agent: str,
    budget: Budget | None = None,
) -> Platform:
    """Look at a platform; nothing but GET is sent, and nothing that needs a secret.

    Args:
        address: Where it is.
        web: Where its web interface is, where that is elsewhere.
        user_agent: How the requests name their sender.
        budget: How many are sent at most, and for how long.

    Raises:
        DiscoveryError: An address is none, nothing answers there, or nothing of use.
    """
    address = read_address(address)
    web = read_address(web) if web else None
    with Asker(user_agent=user_agent, budget=budget or Budget()) as asker:
        return _Look(asker, address, web).taken()


class _Look:
    """One look."""

    def __init__(self, asker: Asker, address: str, web: str | None) -> None:
        self._asker = asker
        self._address = address
        self._web = web
        self._remarks: list[str] = []

    def taken(self) -> Platform:
        """All that is found."""
        main = self._site(self._address)
        web_site = self._site(self._web) if self._web else main
        pages = self._pages(web_site) if web_site.landing.is_page else Pages()
        if self._web and pages.web is None:
            self._remarks.append(f"{self._web} shows no page")
        self._remarks += pages.remarks
        sites = self._named_sites(main, web_site, pages)
        found, remarks = self._described(sites)
        self._remarks += remarks
        health_found, releases = self._health_and_releases(sites, found)
        api = self._api(found) if found else None
        if not health_found:
            health_found = list(self._fallback(sites, releases, api))
        platform = Platform(
            address=self._address,
            health=tuple(health_found),
            releases=tuple(releases),
            api=api,
            web=pages.web,
        )
        self._demand_something(platform, sites)
        if self._asker.budget.is_spent:
            self._remarks.append(
                "not all was looked at: so many requests, or so much time, is what one look takes "
                "at most"
            )
        return replace(
            platform, requests=self._asker.budget.spent, remarks=tuple(dict.fromkeys(self._remarks))
        )

    def _site(self, address: str) -> _Site:
        landing = self._asker.get(address)
        if landing is None:
            why = self._asker.failures.get(address, "the time was up")
            raise DiscoveryError(
                f"{address} can't be looked at: {why}. See that it runs, and that this machine "
                "reaches it, then try again"
            )
        if landing.leads_elsewhere:
            where = printable(landing.leads_elsewhere).partition("?")[0]
            raise DiscoveryError(
                f"{address} leads elsewhere, to {where}, which may be somebody else's. If that is "
                f"the platform, say so: deployment-gate init {where}"
            )
        base = _base_of(address, landing)
        return _Site("", landing, base, Controls.of(self._asker, base))

    def _pages(self, site: _Site) -> Pages:
        host = (urlsplit(site.origin).hostname or "").removeprefix("www.")
        start = path_below(site.base, site.landing.asked) or "/"
        with renderer(self._asker.budget, user_agent=self._asker.user_agent, host=host) as shown_by:
            return find_pages(self._asker, site.base, start, site.controls, shown_by)

    def _named_sites(self, main: _Site, web_site: _Site, pages: Pages) -> list[_Site]:
        """The origins that are looked at, the given one first."""
        if web_site is not main and web_site.origin != main.origin:
            main.name, web_site.name = "api", "web"
            return [main, web_site]
        for hint in self._hints(main, pages):
            try:
                api = self._site(hint)
            except DiscoveryError:
                continue
            main.name, api.name = "web", "api"
            self._remarks.append(f"the API is at {hint}, by what the pages ask, or may ask")
            return [main, api]
        return [main]

    def _hints(self, site: _Site, pages: Pages) -> Iterator[str]:
        """Other origins of the same host that its pages ask, or may ask by their own policy."""
        policy = site.landing.headers.get("Content-Security-Policy", "")
        allowed = re.search(r"connect-src\s+([^;]+)", policy)
        named = [one for one in (allowed[1].split() if allowed else []) if one.startswith("http")]
        for one in dict.fromkeys([*pages.apis, *named]):
            address = joined(site.origin, one) if "*" not in one else None
            is_ours = address is not None and is_same_host(self._address, address)
            if address and is_ours and origin_of(address) != site.origin:
                yield origin_of(address)

    def _described(self, sites: Sequence[_Site]) -> tuple[Description | None, list[str]]:
        """Ask each site's candidates; the first description of an API among the answers."""
        remarks: list[str] = []
        found = None
        # The API's own site comes before that of its pages.
        for site in sorted(sites, key=lambda one: one.name != "api"):
            self._ask_candidates(site, with_api=found is None)
            if found is None:
                found, said = find_description(
                    self._asker, site.replies["description"], site.landing
                )
                remarks += said
        return found, remarks

    def _ask_candidates(self, site: _Site, *, with_api: bool) -> None:
        kinds = {
            "health": health.PATHS,
            "release": release.PATHS,
            "description": description.PATHS if with_api else (),
        }
        bases = dict.fromkeys([site.base, site.origin])
        urls = {
            kind: [base + path for base in bases for path in paths] for kind, paths in kinds.items()
        }
        in_turn = [url for url in chain(*zip_longest(*urls.values())) if url]
        most = max(_FEWEST_TRIED, self._asker.budget.left - _KEPT_FOR_THE_API)
        replies = dict(zip(in_turn[:most], self._asker.get_all(in_turn[:most]), strict=True))
        site.replies = {kind: [replies.get(url) for url in some] for kind, some in urls.items()}

    def _health_and_releases(
        self, sites: Sequence[_Site], found: Description | None
    ) -> tuple[list[HealthFound], list[ReleaseFound]]:
        used: set[str] = set()
        health_found: list[HealthFound] = []
        releases: list[ReleaseFound] = []
        for site in sites:
            described = list(self._described_health(site, found))
            is_health = IS_HEALTH.search(urlsplit(site.landing.url).path)
            candidates = [
                *([site.landing] if is_health else []),
                *site.replies["health"],
                *described,
            ]
            some = find_health(candidates, site.controls, site=site.name, used=used)
            health_found += some
            replies = [*site.replies["release"], site.landing, *candidates]
            if found and origin_of(found.url) == site.origin:
                replies.append(self._asker.get(found.url))
            name = site.name or "platform"
            if one := find_release(self._asker, replies, site.controls, name=name):
                releases.append(one)
        return health_found, releases

    def _described_health(self, site: _Site, found: Description | None) -> list[Reply | None]:
        """What the API's description names of health, asked."""
        if found is None or origin_of(found.base_url) != site.origin:
            return []
        paths = [
            one.path
            for one in found.document.operations
            if one.method == "GET" and "{" not in one.path and IS_HEALTH.search(one.path)
        ]
        return self._asker.get_all(found.base_url + found.prefix + path for path in paths[:8])

    def _api(self, found: Description) -> ApiFound | None:
        api = find_api(self._asker, found)
        if api.answered or api.refused:
            return api
        self._remarks.append(
            f"{found.url} describes an API, and nothing of it that was asked answered: look at "
            "the address of its first server, then write an `api` section"
        )
        return None

    def _fallback(
        self, sites: Sequence[_Site], releases: Sequence[ReleaseFound], api: ApiFound | None
    ) -> Iterator[HealthFound]:
        """What answers where the platform is there, where nothing says that it is well."""
        used: set[str] = set()
        for site in sites:
            ours = [one.url for one in releases if one.url.startswith(site.origin)]
            if api and api.base_url.startswith(site.origin):
                ours += [api.base_url + path for path in api.answered]
            for url in (site.landing.url, *ours):
                reply = site.landing if url == site.landing.url else self._asker.get(url)
                name = unused(site.name or "platform", used)
                if reply and (one := page_as_health(reply, name=name)):
                    used.add(name)
                    yield one
                    break

    def _demand_something(self, platform: Platform, sites: Sequence[_Site]) -> None:
        """Raise an error where there is nothing that a file could be about."""
        if platform.health or platform.releases or platform.api:
            return
        replies = [
            reply
            for site in sites
            for reply in (site.landing, *chain.from_iterable(site.replies.values()))
            if reply
        ]
        counted = Counter(reply.status for reply in replies)
        if not counted:
            raise DiscoveryError(
                f"{self._address} gave no answer in time, so nothing was found. Try again when it "
                f"is quicker, {_BY_HAND}"
            )
        status, times = counted.most_common(1)[0]
        told = f"{self._address} answered {status} to {times} of {len(replies)} paths"
        if status in {401, 403}:
            raise DiscoveryError(
                f"{told}: it asks everybody who they are, and init asks for nothing that needs a "
                "secret. Name a path that anybody may read (deployment-gate init "
                f"{self._address.rstrip('/')}/health), {_BY_HAND}"
            )
        raise DiscoveryError(
            f"{told}, and nothing there says whether it is well, which release it is, or what it "
            f"serves. Name the address that people use, or that of its health, {_BY_HAND}"
        )


def _base_of(address: str, landing: Reply) -> str:
    """What is tried first is below it.

    A redirect says where an API begins; of pages, it may lead to one of them alone, to sign in by.
    """
    origin = origin_of(landing.url)
    if IS_HEALTH.search(urlsplit(landing.url).path):
        return origin
    if landing.is_page or landing.url == address:
        return origin + base_of(address).removeprefix(origin_of(address))
    return base_of(landing.url)
