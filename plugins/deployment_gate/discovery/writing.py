"""The environment file of a platform as text: what was found where, and how to add what wasn't."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from deployment_gate.discovery.names import prefix_of
from deployment_gate.discovery.platform import (
    LoginFound,
    Platform,
    WebFound,
)
from deployment_gate.discovery.writing_api import ApiWriter
from deployment_gate.discovery.yaml_text import Lines, flow, mapping

SCHEMA = "environment.schema.json"
"""What editors complete environment files by, where it is beside them."""

_SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA}\n"

# The runbook's own, as environments/base.yaml has them.
_TARGETS = """\
# The runbook's targets and triggers; make them those of this platform.
performance_targets:
  response_time:
    api_endpoints: "< 200ms for 95% of requests"
    frontend_pages: "< 2s for 95% of page loads"
  throughput:
    api_requests: "> 1000 requests/second"
    concurrent_users: "> 100 concurrent users"
  resource_usage:
    cpu: "< 80% average usage"
    memory: "< 85% average usage"
    disk: "< 90% average usage"
"""
_TRIGGERS = """\
rollback_triggers:
  health_check_failure:
    - condition: "Health check fails for 3 consecutive attempts"
    - action: "Automatic rollback to previous version"
    - timeout: "5 minutes"
  error_rate_threshold:
    - condition: "Error rate > 5% for 2 minutes"
    - action: "Automatic rollback to previous version"
    - timeout: "2 minutes"
  performance_degradation:
    - condition: "Response time > 500ms for 3 minutes"
    - action: "Automatic rollback to previous version"
    - timeout: "3 minutes"
"""
_ALLOW = """\
# Checks only read until this says otherwise: `writes` lets them make, change and remove things of
# their own, `load` lets them send as much as a `load` section says, `burst` short bursts.
allow:
  writes: false
  load: false
  burst: false
"""


def variables_of(name: str, login: LoginFound | None) -> tuple[str, ...]:
    """Answer the variables by which somebody signs in; none where nobody can."""
    if login is None:
        return ()
    prefix = prefix_of(name)
    if login.takes_key:
        return (f"{prefix}_TOKEN",)
    return (f"{prefix}_USERNAME", f"{prefix}_PASSWORD")


class Writer:
    """Writes section after section."""

    def __init__(self, platform: Platform, name: str, variables: Mapping[str, str]) -> None:
        self._platform = platform
        self._name = name
        self._lines = Lines()
        login = platform.api.login if platform.api else None
        self._variables = variables_of(name, login)
        self._dormant = not all(variables.get(one) for one in self._variables)

    def written(self, today: date, *, has_schema: bool) -> str:
        """The whole file."""
        lines, platform = self._lines, self._platform
        start = _SCHEMA_LINE if has_schema else ""
        lines.remark(
            f"Written by `deployment-gate init {platform.address}` on {today.isoformat()}: what "
            "could be found by asking alone. Read it through, correct it, and keep it with the "
            "project. docs/environments.md tells what else it can say."
        )
        if self._variables and self._dormant:
            needed = " and ".join(self._variables)
            lines.remark(
                f"Lines that begin with `#:` need somebody who signs in. Set {needed}, then "
                f"uncomment all of them: sed -i 's/^#: //' {self._name}.yaml (or write the file "
                "anew by --force while they are set)."
            )
        lines.blank()
        title = platform.api.title if platform.api and platform.api.title else self._name
        lines.key("description", f"{title}, at {platform.address}")
        for section in (self._health, self._releases, self._api, self._web):
            lines.blank()
            section()
        return f"{start}{lines.text()}\n{_TARGETS}\n{_TRIGGERS}\n{_ALLOW}"

    def _health(self) -> None:
        lines = self._lines
        found = self._platform.health
        if not found:
            lines.remark("Nothing was found that says whether the platform is well. Add it:")
            lines.example(
                "health_endpoints:",
                f"  api: {{url: {self._platform.address}/health, timeout: 10s}}",
            )
            return
        if found[0].is_stand_in:
            lines.remark(
                "No address was found that says whether the platform is well. What answers where "
                "it is there stands in for it; name here what says more."
            )
        lines.key("health_endpoints")
        for one in found:
            lines.remark(f"It {one.said}.", depth=1)
            content = "page" if one.is_page else None
            lines.key(one.name, mapping(url=one.url, timeout="10s", content=content), depth=1)

    def _releases(self) -> None:
        lines = self._lines
        if not self._platform.releases:
            lines.remark(
                "No address was found where a release names itself, so which one runs can't be "
                "told. Add one, by a field of its JSON or by a header:"
            )
            lines.example(
                "release_identity:",
                f"  api: {{url: {self._platform.address}/version, field: version}}",
            )
            return
        lines.key("release_identity")
        for one in self._platform.releases:
            lines.remark(f"It said {one.release}.", depth=1)
            lines.key(
                one.name,
                mapping(
                    url=one.url,
                    field=one.field,
                    header=one.header,
                    instance_header=one.instance_header,
                    replicas=one.replicas if one.replicas > 1 else None,
                ),
                depth=1,
            )

    def _api(self) -> None:
        api, lines = self._platform.api, self._lines
        if api is not None:
            ApiWriter(api, lines, self._variables, dormant=self._dormant).write()
            return
        lines.remark(
            "No description of an API was found (OpenAPI, as JSON). Where there is an API, say "
            "what it serves, as docs/api.md tells:"
        )
        lines.example(
            "api:",
            f"  base_url: {self._platform.address}",
            "  collections:",
            "    orders: {path: /api/orders, item: '/api/orders/{{id}}', public: true}",
        )

    def _web(self) -> None:
        web, lines = self._platform.web, self._lines
        if web is None:
            lines.remark(
                "No web interface was found. Where there is one, write the file anew with --web "
                "URL, or add it, as docs/frontend.md tells:"
            )
            lines.example("web:", f"  base_url: {self._platform.address}")
            return
        for one in web.remarks:
            lines.remark(f"To be known: {one}.")
        shows = _Shown(web, can_sign_in=bool(self._variables) and _takes_password(self._platform))
        # Without a browser here, the first run would have nothing to look with.
        asleep = not web.is_seen
        if asleep:
            lines.remark("Once there is a browser, uncomment this.")
        all_private = asleep or (self._dormant and not shows.public)
        lines.key("web", dormant=all_private)
        lines.key("base_url", web.base_url, depth=1, dormant=all_private)
        if web.third_parties:
            lines.remark(
                "Its pages ask these hosts; leave none here that they can do without.", depth=1
            )
            lines.key("third_parties", list(web.third_parties), depth=1, dormant=all_private)
        self._sign_in(web, shows, asleep=asleep)
        lines.key("pages", depth=1, dormant=all_private)
        for number, page in enumerate(shows.public):
            value = mapping(
                path=page.path,
                heading=page.heading,
                public=True,
                smoke=True if number == 0 else None,
            )
            lines.key(page.name, value, depth=2, dormant=asleep)
        for number, page in enumerate(shows.private):
            if not shows.can_sign_in:
                lines.remark(f"Not here: {page.path}, which leads to signing in.", depth=2)
                continue
            value = mapping(path=page.path, smoke=True if number == 0 else None)
            lines.key(page.name, value, depth=2, dormant=asleep or self._dormant)

    def _sign_in(self, web: WebFound, shows: _Shown, *, asleep: bool) -> None:
        lines, form = self._lines, web.form
        if form is None:
            lines.remark(
                "No form to sign in by was found. Where there is one, write `sign_in` steps.",
                depth=1,
            )
            return
        if not shows.can_sign_in:
            lines.remark(
                f"{form.path} has a form to sign in by. Once `api` has `login` and `identities`, "
                "pages can be seen signed in:",
                depth=1,
            )
            lines.example("sign_in:", *(f"  - {flow(step)}" for step in _steps(web)), depth=1)
            return
        dormant = asleep or self._dormant
        lines.remark(f"By the form at {form.path}.", depth=1)
        lines.key("sign_in", depth=1, dormant=dormant)
        for step in _steps(web):
            lines.item(step, depth=2, dormant=dormant)


class _Shown:
    """The pages, those for strangers first."""

    def __init__(self, web: WebFound, *, can_sign_in: bool) -> None:
        self.public = [page for page in web.pages if page.is_public]
        self.private = [page for page in web.pages if not page.is_public]
        self.can_sign_in = can_sign_in and web.form is not None


def _steps(web: WebFound) -> list[dict[str, Any]]:
    form = web.form
    assert form is not None
    return [
        {"open": form.path},
        {"fill": {form.username: "{{username}}", form.password: "{{password}}"}},
        {"click": {"button": form.button}, "see_not": {"label": form.password}},
    ]


def _takes_password(platform: Platform) -> bool:
    login = platform.api.login if platform.api else None
    return login is not None and not login.takes_key
