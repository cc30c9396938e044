"""The fixtures of checks of what is in the open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from deployment_gate.environment import Environment
from deployment_gate.fixtures import process_key
from deployment_gate.security_fixtures.judging import leave_unobserved

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.collections import Listing
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import WebTarget
    from deployment_gate.security.controls import Base
    from deployment_gate.security.errors import Provoked
    from deployment_gate.security.methods import Ask
    from deployment_gate.security.rules import Looked
    from deployment_gate.security.scripts import Sources


@pytest.fixture
def strangers(
    request: pytest.FixtureRequest,
    environment: Environment,
    http_client: Callable[[str], httpx.Client],
) -> tuple[Base, ...]:
    """The API and the web interface, where there are such, each asked by a stranger.

    Where both have one address it is asked once, as the web interface.
    """
    from deployment_gate.security.controls import Base  # noqa: PLC0415  # loads httpx

    process = request.config.stash[process_key]
    sections = {"api": environment.api, "web": environment.web}
    addresses = {one.base_url.rstrip("/"): name for name, one in sections.items() if one}

    def look() -> tuple[Base, ...]:
        return tuple(Base(name, http_client(address)) for address, name in addresses.items())

    # Shared, since each knows how it answers where nothing is; what is throttled isn't.
    bases = process.look_once("strangers", look)
    for base in bases:
        base.throttled.clear()
    return bases


@pytest.fixture
def open_to_anybody(
    request: pytest.FixtureRequest, environment: Environment, strangers: tuple[Base, ...]
) -> Callable[[str], Looked]:
    """What of a topic lies in the open: `open_to_anybody("repository")`."""
    from deployment_gate.security.exposed_paths import TOPICS, descriptions  # noqa: PLC0415
    from deployment_gate.security.exposure import look_for  # noqa: PLC0415

    process = request.config.stash[process_key]

    described = environment.api.openapi if environment.api else None
    named = descriptions(described.path if described else None)
    topics = {**TOPICS, "description": (named,)}

    def look(topic: str) -> Looked:
        looked = look_for(topics[topic], strangers, is_public=environment.security.is_public)
        # What lies in the open may be secret, and has no place in a report.
        process.conduct.exchanges.clear()
        return looked

    return look


@pytest.fixture
def listed_folders(
    request: pytest.FixtureRequest, environment: Environment, strangers: tuple[Base, ...]
) -> Callable[[], Looked]:
    """Whether folders are listed: usual ones, and those that the pages' scripts lie in."""
    from deployment_gate.security.exposed_paths import listings  # noqa: PLC0415
    from deployment_gate.security.exposure import look_for  # noqa: PLC0415
    from deployment_gate.security.rules import Looked, Unseen  # noqa: PLC0415

    def folders_of(base: Base) -> tuple[str, ...]:
        if base.name != "web":
            return ()
        read: Callable[[], Sources] = request.getfixturevalue("read_web_sources")
        try:
            return read().folders
        except Unseen:
            return ()  # the checks of scripts tell of that

    def look() -> Looked:
        is_public = environment.security.is_public
        looked = [
            look_for([listings(folders_of(base))], [base], is_public=is_public)
            for base in strangers
        ]
        return sum(looked, Looked())

    return look


@pytest.fixture
def unknown_paths_answered(strangers: tuple[Base, ...]) -> Callable[[], Looked]:
    """Whether paths that can't exist are answered with a success."""
    from deployment_gate.security.exposure import look_at_unknown_paths  # noqa: PLC0415

    return lambda: look_at_unknown_paths(strangers)


@pytest.fixture
def security_txt(strangers: tuple[Base, ...]) -> Callable[[], Looked]:
    """Whether the web interface says whom to tell of a weakness."""
    from deployment_gate.security.security_txt import look_at_security_txt  # noqa: PLC0415

    return lambda: look_at_security_txt(_named("web", strangers), now=datetime.now(UTC))


@pytest.fixture
def traced(environment: Environment, strangers: tuple[Base, ...]) -> Callable[[], Looked]:
    """Whether TRACE is answered."""
    from deployment_gate.security.methods import look_at_trace  # noqa: PLC0415

    return lambda: look_at_trace((base, _served_path(environment, base.name)) for base in strangers)


@pytest.fixture
def overridden(
    request: pytest.FixtureRequest, environment: Environment, strangers: tuple[Base, ...]
) -> Callable[[], Looked]:
    """Whether a GET is carried out as another method that it names."""
    from deployment_gate.security.methods import look_at_override  # noqa: PLC0415

    def asked_by(client: httpx.Client) -> Ask:
        return lambda url, headers: client.get(url, headers=headers)

    def candidates() -> Iterator[tuple[str, str, Ask]]:
        for name in ("api", "web"):
            for path in _open_paths(environment, name):
                yield name, path, asked_by(_named(name, strangers).client)
        api = environment.api
        # Where a stranger is served nothing, one who signed in is; asked for only then.
        if api is not None and api.private_path and api.login:
            as_reader: Callable[[str | None], httpx.Client] = request.getfixturevalue("api_as")
            reader = next(iter(api.identities))

            def ask(url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
                return as_reader(reader).get(url, headers=headers)

            yield "api", api.private_path, ask

    return lambda: look_at_override(candidates())


@pytest.fixture
def hosts_believed(environment: Environment, strangers: tuple[Base, ...]) -> Callable[[], Looked]:
    """Whether links and redirects lead to whatever host a request names."""
    from deployment_gate.security.hosts import look_at_hosts  # noqa: PLC0415

    return lambda: look_at_hosts(
        (_named(name, strangers), path)
        for name in ("api", "web")
        for path in _leading_paths(environment, name)
    )


@pytest.fixture
def errors_provoked(
    environment: Environment, strangers: tuple[Base, ...], request: pytest.FixtureRequest
) -> Callable[[], Looked]:
    """What answers to mistakes show of the platform's inside."""
    from deployment_gate.security import errors  # noqa: PLC0415
    from deployment_gate.security.controls import unseen_of  # noqa: PLC0415
    from deployment_gate.security.rules import Looked  # noqa: PLC0415

    def provoke() -> Iterator[Provoked]:
        yield from errors.provoke_unknown_paths(strangers)
        if environment.web is not None:
            yield from errors.provoke_pages(environment.web, _named("web", strangers))
        api = environment.api
        if api is None:
            return
        listing: Callable[[str], Listing] = request.getfixturevalue("listing")
        sessions: Sessions = request.getfixturevalue("sessions")
        if api.login and api.login.request:
            yield from errors.provoke_sign_in(api.login, sessions.stranger)
        for name in api.collections:
            yield from errors.provoke_listing(listing(name))
        if api.search is not None:
            as_reader: Callable[[str | None], httpx.Client] = request.getfixturevalue("api_as")
            yield from errors.provoke_search(api, as_reader(api.reader_of(api.search)))

    return lambda: errors.judge_errors(provoke()) + Looked((), tuple(unseen_of(strangers)))


@pytest.fixture
def read_web_sources(
    request: pytest.FixtureRequest, web_target: WebTarget, strangers: tuple[Base, ...]
) -> Callable[[], Sources]:
    """Reads the pages and their scripts, once for all checks of this process."""
    from deployment_gate.security.rules import Unseen  # noqa: PLC0415
    from deployment_gate.security.scripts import read_sources  # noqa: PLC0415

    process = request.config.stash[process_key]
    pages = sorted(web_target.shown.values(), key=lambda page: not page.public)

    def look() -> Sources | Unseen:
        try:
            return read_sources(_named("web", strangers), [page.path for page in pages])
        except Unseen as error:
            # Kept, so that the other checks of them don't ask again.
            return error

    def read() -> Sources:
        seen = process.look_once("web sources", look)
        if isinstance(seen, Unseen):
            raise seen
        return seen

    return read


@pytest.fixture
def source_maps(
    request: pytest.FixtureRequest, read_web_sources: Callable[[], Sources]
) -> Callable[[], Looked]:
    """Whether scripts give their sources away."""
    from deployment_gate.security.scripts import look_at_source_maps  # noqa: PLC0415

    return lambda: _seen(request, lambda: look_at_source_maps(read_web_sources()))


@pytest.fixture
def secrets_in_pages(
    request: pytest.FixtureRequest,
    read_web_sources: Callable[[], Sources],
    keep_secret: Callable[[str], str],
) -> Callable[[], Looked]:
    """Which secrets stand in pages and their scripts; not one of them is shown."""
    from deployment_gate.security.scripts import look_for_secrets  # noqa: PLC0415

    return lambda: _seen(request, lambda: look_for_secrets(read_web_sources(), keep_secret))


def _seen(request: pytest.FixtureRequest, look: Callable[[], Looked]) -> Looked:
    """What a look at pages showed; their texts go into no report."""
    from deployment_gate.security.rules import Unseen  # noqa: PLC0415

    process = request.config.stash[process_key]
    try:
        return look()
    except Unseen as error:
        leave_unobserved(process, str(error))
    finally:
        process.conduct.exchanges.clear()


def _named(name: str, bases: tuple[Base, ...]) -> Base:
    """The base of that name; the web interface's where both have one address."""
    return next((base for base in bases if base.name == name), bases[-1])


def _served_path(environment: Environment, base: str) -> str:
    """A path that is served, as far as the environment tells."""
    return next(iter(_open_paths(environment, base)), "/")


def _open_paths(environment: Environment, base: str) -> list[str]:
    """Paths of the API or of the web interface that anybody may see."""
    api, web = environment.api, environment.web
    if base == "web":
        pages = sorted(web.shown.values(), key=lambda page: not page.public) if web else []
        return list(dict.fromkeys(page.path for page in pages))
    if api is None:
        return []
    public = [path for path in environment.security.public if "*" not in path]
    lists = [one.path for one in api.collections.values() if one.public]
    described = [api.openapi.path] if api.openapi else []
    return list(dict.fromkeys([*environment.paths_beside_the_api(), *lists, *described, *public]))


def _leading_paths(environment: Environment, base: str) -> list[str]:
    """Paths whose answers lead somewhere: the start page, that to sign in, a slash too many."""
    api, web = environment.api, environment.web
    if base == "web":
        signs_in = [step.open for step in web.sign_in if step.open] if web else []
        pages = [*signs_in, *_open_paths(environment, "web")[:1]]
        return list(dict.fromkeys(["/", *signs_in, *_with_slash(pages)])) if web else []
    if api is None:
        return []
    lists = [one.path for one in api.collections.values()]
    named = [*lists, *([api.whoami.path] if api.whoami else [])]
    open_ = _open_paths(environment, "api")
    return list(dict.fromkeys(["/", *open_[:1], *_with_slash(named[:2])]))


def _with_slash(paths: list[str]) -> list[str]:
    """Those that have no slash at their end, with one, and without a query."""
    plain = [urlsplit(path).path for path in paths]
    return [f"{path}/" for path in plain if not path.endswith("/")]
