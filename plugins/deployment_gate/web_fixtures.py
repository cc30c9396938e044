"""The fixtures that checks of the web interface are written with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from deployment_gate.attachments import Attachment
from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.fixtures import process_key

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import Browser, BrowserContext, Playwright

    from deployment_gate.checks import CheckProcess
    from deployment_gate.environment import TargetPhrase, WebTarget
    from deployment_gate.web.journeys import JourneyTaken, Leave, Traveller
    from deployment_gate.web.links import LinkStatus
    from deployment_gate.web.seen import PictureSeen, SeenPage, SeenSpeed
    from deployment_gate.web.visitor import Visitor

_EXTRA = (
    "the `web` section needs pytest-playwright and the libraries beside it. Install them: "
    'pip install "pytest-deployment-gate[frontend]"'
)


@pytest.fixture(scope="session")
def web_target(environment: Environment) -> WebTarget:
    """What the environment says of the web interface."""
    if environment.web is None:
        pytest.fail(
            f"{environment.name} has no `web` section; write one with its `base_url`", pytrace=False
        )
    return environment.web


@pytest.fixture(scope="session")
def base_url(environment: Environment) -> str | None:
    """What relative addresses of Playwright's are below."""
    return environment.web.base_url if environment.web else None


@pytest.fixture(scope="session")
def browser_context_args(
    browser_context_args: dict[str, Any], web_target: WebTarget
) -> dict[str, Any]:
    """pytest-playwright's, in a window as wide as the widest of the environment's devices."""
    size = web_target.devices[web_target.widest]
    viewport = {"width": size.width, "height": size.height}
    return {"viewport": viewport, "service_workers": "block", **browser_context_args}


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
    playwright: Playwright,
    environment: Environment,
    pytestconfig: pytest.Config,
) -> dict[str, Any]:
    """pytest-playwright's, with the browser of this machine, kept to the environment's hosts."""
    from deployment_gate.web.chromium import find_chromium, launch_options  # noqa: PLC0415

    others = [name for name in pytestconfig.getoption("--browser") if name != "chromium"]
    if others:
        pytest.fail(
            f"--browser {others[0]}: only Chromium can be kept from hosts that the environment "
            "doesn't list. Leave it out",
            pytrace=False,
        )
    try:
        program = find_chromium(os.environ, own=playwright.chromium.executable_path)
    except GateError as error:
        pytest.fail(str(error), pytrace=False)
    options = launch_options(program, environment.hosts())
    if pytestconfig.getoption("--browser-channel"):
        # Playwright takes one of the two.
        del options["executable_path"]
    return {**browser_type_launch_args, **options}


@pytest.fixture
def browser(visitor: Visitor) -> Browser:
    """The browser that all checks of this process share: a fresh one where it has failed."""
    try:
        return visitor.browser.browser
    except GateError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def new_context(
    request: pytest.FixtureRequest,
    new_context: Callable[..., BrowserContext],
    visitor: Visitor,
    may_send: Leave,
) -> Iterator[Callable[..., BrowserContext]]:
    """pytest-playwright's, whose secrets are kept out of reports, and that is seen if it fails.

    It only reads, unless the environment allows writing and the check is marked `writes`.
    """
    from playwright.sync_api import Error  # noqa: PLC0415

    from deployment_gate.web.journeys import guard  # noqa: PLC0415
    from deployment_gate.web.secrecy import watch_secrets  # noqa: PLC0415

    process = request.config.stash[process_key]
    refused: list[str] = []

    def refuse(what: str) -> None:
        refused.append(
            f"{what} was kept from the platform: the check isn't marked as writing. Mark it with "
            "`@pytest.mark.writes`, and clean up what it makes"
        )
        # Whatever fails from here on, fails for want of it.
        process.conduct.unobserved = refused[0]

    def make(**options: Any) -> BrowserContext:
        context = new_context(**options)
        if not process.conduct.is_writing:
            guard(context, may_send, refuse)
        watch = watch_secrets(context, process.redactor.add)
        close = context.close

        def close_once_seen(**options: Any) -> None:
            watch.collect()
            for page in context.pages if process.is_failing else ():
                with contextlib.suppress(Error):
                    picture = visitor.picture_of(page)
                    process.attachments.append(Attachment("page", f"at {page.url}", picture))
            close(**options)

        context.close = close_once_seen  # type: ignore[method-assign]  # as pytest-playwright does
        return context

    yield make
    if refused:
        pytest.fail(refused[0], pytrace=False)


@pytest.fixture
def may_send(request: pytest.FixtureRequest, environment: Environment, visitor: Visitor) -> Leave:
    """Which requests of pages may be sent by who only reads, beside those that read."""
    from deployment_gate.web.visitor import SignInError  # noqa: PLC0415

    if visitor.identity and visitor.target.sign_in:
        # What signing in by the pages sends is seen where somebody does.
        with _browsing(request.config.stash[process_key]), contextlib.suppress(SignInError):
            visitor.signed_in(visitor.identity)
    allowed = environment.session_requests() | visitor.sign_in_requests
    return lambda method, url: (method, url.partition("?")[0]) in allowed


@pytest.fixture(scope="session")
def visitor(
    request: pytest.FixtureRequest,
    environment: Environment,
    web_target: WebTarget,
    run_values: Mapping[str, object],
) -> Iterator[Visitor]:
    """Looks at the environment's pages."""
    try:
        launch = request.getfixturevalue("launch_browser")
    except pytest.FixtureLookupError:
        pytest.fail(_EXTRA, pytrace=False)
    from deployment_gate.web.browsers import OwnBrowser  # noqa: PLC0415  # few runs have one
    from deployment_gate.web.visitor import Visitor  # noqa: PLC0415

    process = request.config.stash[process_key]
    identities = environment.api.identities if environment.api else {}
    own = OwnBrowser(launch)

    def values_of(identity: str) -> Mapping[str, object]:
        known = identities[identity]
        password = known.password.get_secret_value() if known.password else ""
        who = {"username": known.username or "", "password": password}
        return {**run_values, "run": _name_of_run(), **who}

    yield Visitor(
        target=web_target,
        browser=own,
        identity=web_target.identity or next(iter(identities), None),
        hosts=environment.hosts(),
        values_of=values_of,
        keep_secret=process.redactor.add,
        redact=process.redactor.redact,
        artifacts=process.beginning.traces,
    )
    own.close()


@pytest.fixture
def traveller(visitor: Visitor, may_send: Leave) -> Traveller:
    """Takes journeys through pages."""
    from deployment_gate.web.journeys import Traveller  # noqa: PLC0415

    return Traveller(visitor, may_send=may_send)


@pytest.fixture
def visited_page(request: pytest.FixtureRequest, visitor: Visitor) -> SeenPage:
    """Each page of the environment in turn, as it was seen on its widest device, loaded or not."""
    return _seen(request, visitor, request.param, visitor.target.widest)


@pytest.fixture
def web_page(request: pytest.FixtureRequest, visitor: Visitor) -> SeenPage:
    """Each page of the environment in turn, as it was seen on its widest device."""
    return _loaded(request, _seen(request, visitor, request.param, visitor.target.widest))


@pytest.fixture
def web_view(request: pytest.FixtureRequest, visitor: Visitor) -> SeenPage:
    """Each page of the environment on each of its devices in turn."""
    name, device = request.param
    return _loaded(request, _seen(request, visitor, name, device))


def _loaded(request: pytest.FixtureRequest, page: SeenPage) -> SeenPage:
    """It; whether it loads is another check's matter, and without that there is nothing to see."""
    if page.load_faults:
        process = request.config.stash[process_key]
        pytest.skip(process.leave_undone(f"{page.called} didn't load"))
    return page


def _seen(request: pytest.FixtureRequest, visitor: Visitor, name: str, device: str) -> SeenPage:
    """A page as it was seen once for all checks of this process."""
    from deployment_gate.web.seen import SeenPage, told  # noqa: PLC0415
    from deployment_gate.web.visit import Visit  # noqa: PLC0415

    process = request.config.stash[process_key]
    page = visitor.target.shown[name]

    def look() -> Visit:
        visit = visitor.visit(name, page, device)
        process.conduct.observe(visit.observation(process.conduct.check))
        return visit

    with _browsing(process):
        visit = process.look_once((name, device), look)
    if visit.unobserved:
        process.conduct.unobserved = visit.unobserved
        # In a fixture, so that it counts as an error of the run, not as a failed check.
        pytest.fail(f"{visit.called} was not observed: {visit.unobserved}", pytrace=False)
    process.attachments.append(
        Attachment(f"{name} on {device}", told(visit), visit.picture, visit.trace)
    )
    return SeenPage(visit, visitor.target)


@contextlib.contextmanager
def _browsing(process: CheckProcess) -> Iterator[None]:
    """What keeps a look from being made: nobody signed in, or the browser failed."""
    from playwright.sync_api import Error  # noqa: PLC0415

    from deployment_gate.web.browsers import BrowserTroubleError  # noqa: PLC0415
    from deployment_gate.web.visitor import SignInError  # noqa: PLC0415

    try:
        yield
    except SignInError as error:
        # Signing in has a check of its own.
        pytest.skip(process.leave_undone(str(error)))
    except (BrowserTroubleError, Error) as error:
        process.conduct.unobserved = str(error)
        pytest.fail(f"not observed: {error}", pytrace=False)


@pytest.fixture(scope="session")
def page_target(environment: Environment) -> TargetPhrase | None:
    """The level that page loads must meet, where the environment has one."""
    targets = environment.performance_targets
    every = targets.response_time.values() if targets else ()
    return next((one for one in every if one.of == "page loads"), None)


@pytest.fixture
def page_speed(
    request: pytest.FixtureRequest, visitor: Visitor, page_target: TargetPhrase | None
) -> SeenSpeed:
    """Each page of the environment in turn, loaded several times."""
    from deployment_gate.web.seen import SeenSpeed  # noqa: PLC0415
    from deployment_gate.web.speed import PageSpeed, measure_speed  # noqa: PLC0415
    from deployment_gate.web.speed import told as told_speed  # noqa: PLC0415

    process = request.config.stash[process_key]
    name: str = request.param
    page = visitor.target.shown[name]

    def look() -> PageSpeed:
        speed = measure_speed(visitor, name, page, target=page_target)
        for observation in speed.observations(process.conduct.check):
            process.conduct.observe(observation)
        return speed

    with _browsing(process):
        speed = process.look_once(("speed", name), look)
    process.attachments.append(Attachment(f"{name}'s loads", told_speed(speed)))
    return SeenSpeed(speed, visitor.target, page_target)


@pytest.fixture
def web_journey(
    request: pytest.FixtureRequest,
    visitor: Visitor,
    traveller: Traveller,
    run_values: Mapping[str, object],
) -> JourneyTaken:
    """Each journey through pages in turn, as it went."""
    process = request.config.stash[process_key]
    name: str = request.param
    journey = visitor.target.journeys[name]
    values = {**run_values, "run": _name_of_run()}
    with _browsing(process):
        taken = process.look_once(
            ("journey", name), lambda: traveller.take(name, journey, dict(values))
        )
    return _shown(process, taken)


@pytest.fixture
def signing_in(
    request: pytest.FixtureRequest, visitor: Visitor, traveller: Traveller
) -> JourneyTaken:
    """Signing in by the pages, as it went."""
    process = request.config.stash[process_key]
    identity = visitor.identity or ""
    with _browsing(process):
        return _shown(process, traveller.sign_in(identity))


@pytest.fixture
def signing_out(
    request: pytest.FixtureRequest, visitor: Visitor, traveller: Traveller
) -> JourneyTaken:
    """Signing out by the pages, and trying to get back in, as it went."""
    process = request.config.stash[process_key]
    identity = visitor.identity or ""
    with _browsing(process):
        # Who can't sign in can't sign out either, and that has a check of its own.
        visitor.signed_in(identity)
        return _shown(process, traveller.sign_out(identity))


def _name_of_run() -> str:
    """What {{run}} stands for: a name that nothing else has."""
    return f"v{uuid4().hex[:12]}"


def _shown(process: CheckProcess, taken: JourneyTaken) -> JourneyTaken:
    if taken.picture or taken.trace:
        where = f"it ended at {taken.at}"
        process.attachments.append(Attachment(taken.name, where, taken.picture, taken.trace))
    return taken


@pytest.fixture
def compare_with_approved(request: pytest.FixtureRequest) -> Callable[[SeenPage], PictureSeen]:
    """Compares a page with the picture of it that was approved, or approves the one seen."""
    from deployment_gate.web.pictures import ApprovedPictures  # noqa: PLC0415
    from deployment_gate.web.seen import compare_page  # noqa: PLC0415

    process = request.config.stash[process_key]
    approved = ApprovedPictures(process.beginning.pictures)
    approves = request.config.getoption("approve_screenshots")

    def compare(page: SeenPage) -> PictureSeen:
        try:
            seen = compare_page(page, approved, approves=approves)
        except GateError as error:
            pytest.fail(str(error), pytrace=False)
        if seen.picture:
            process.attachments.append(Attachment(f"{page.called}, compared", "", seen.picture))
        return seen

    return compare


@pytest.fixture
def found_pages(request: pytest.FixtureRequest, visitor: Visitor) -> Callable[[], list[SeenPage]]:
    """Follows links from the start page, and looks at each page that nobody named."""
    from deployment_gate.web.seen import SeenPage, told  # noqa: PLC0415
    from deployment_gate.web.spider import find_pages  # noqa: PLC0415

    process = request.config.stash[process_key]

    def find() -> list[SeenPage]:
        with _browsing(process):
            visits = find_pages(visitor)
        for visit in visits:
            process.conduct.observe(visit.observation(process.conduct.check))
            if visit.trace:
                process.attachments.append(
                    Attachment(visit.path, told(visit), visit.picture, visit.trace)
                )
        return [SeenPage(visit, visitor.target) for visit in visits]

    return find


@pytest.fixture(scope="session")
def link_status(http_client: Callable[[str], httpx.Client], web_target: WebTarget) -> LinkStatus:
    """Asks where links of the pages lead, each once for all checks of this process."""
    from deployment_gate.web.links import LinkStatus  # noqa: PLC0415

    return LinkStatus(http_client(web_target.base_url))


@pytest.fixture
def only_warn(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes what is to be told of a check that passes; it counts as a warning then."""
    return request.config.stash[process_key].warnings.append
