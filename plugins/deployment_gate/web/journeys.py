"""Takes journeys through pages, and shows what it looked like where one went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error

from deployment_gate.environment import READING, Move, WebJourney, WebStep
from deployment_gate.web.steps import StepError, at_once, main_headings, settle
from deployment_gate.web.visitor import Visitor
from deployment_gate.web.vitals import measure_interaction, watch_vitals

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

SIGNING_IN = "signing in"
SIGNING_OUT = "signing out"

Leave = Callable[[str, str], bool]
"""Whether a request, by its method and address, may be sent although it doesn't only read."""


@dataclass(frozen=True, slots=True)
class JourneyTaken:
    """How a journey through pages went.

    Attributes:
        name: Its name in the environment file.
        complaints: What went wrong, a sentence each; none when all went well.
        reactions_s: Seconds from each click to the frame that showed it, of those that stayed on
            their page.
        picture: What was seen when it went wrong (PNG).
        trace: Where Playwright's trace of it is, when it went wrong.
        at: The address where it ended.
    """

    name: str
    complaints: tuple[str, ...] = ()
    reactions_s: tuple[float, ...] = ()
    picture: bytes | None = field(default=None, repr=False)
    trace: Path | None = field(default=None, repr=False)
    at: str = ""

    @property
    def went_well(self) -> bool:
        """Whether each step did what it should."""
        return not self.complaints

    @property
    def account(self) -> str:
        """What went wrong, the first on a line of its own."""
        return "\n".join(self.complaints)


class Traveller:
    """Takes the journeys of one environment.

    Args:
        visitor: Looks at its pages.
        may_send: Which requests may be sent that don't only read.
    """

    def __init__(self, visitor: Visitor, *, may_send: Leave) -> None:
        self._visitor = visitor
        self._may_send = may_send

    def take(self, name: str, journey: WebJourney, values: dict[str, object]) -> JourneyTaken:
        """Take a journey's steps until one goes wrong, then its clean-up steps, all of them.

        Args:
            name: Its name in the environment file.
            journey: Its steps.
            values: What stands for {{run}} and the like.

        Raises:
            SignInError: Nobody could sign in as who takes it.
            BrowserTroubleError: The browser failed, twice; once where it writes.
        """
        state = self._visitor.signed_in(journey.identity) if journey.identity else None

        def go() -> JourneyTaken:
            with self._visitor.window(journey.device, state) as (context, watch):
                return self._taken(
                    name,
                    context,
                    watch.collect,
                    lambda page: self._steps(page, journey, values),
                    guards=not journey.writes,
                )

        steps = len(journey.steps) + len(journey.cleanup)
        return self._visitor.look(go, steps=steps, is_repeatable=not journey.writes)

    def sign_in(self, identity: str) -> JourneyTaken:
        """Sign in by the pages, as people do."""

        def go() -> JourneyTaken:
            with self._visitor.window(self._visitor.target.widest) as (context, watch):
                return self._taken(
                    SIGNING_IN,
                    context,
                    watch.collect,
                    lambda page: self._visitor.sign_in_by_hand(page, identity),
                    guards=False,
                )

        return self._visitor.look(go, steps=len(self._visitor.target.sign_in))

    def sign_out(self, identity: str) -> JourneyTaken:
        """Sign in and out by the pages; neither the back button nor an address leads back in."""

        def steps(page: Page) -> None:
            self._visitor.sign_in_by_hand(page, identity)
            for name, private in target.shown.items():
                if target.is_signed_in(private):
                    self._visitor.take(page, [WebStep(open=private.path)], {})
                    settle(page)
                    seen = main_headings(page)
                    self._visitor.take(page, target.sign_out, {})
                    settle(page)
                    # A heading of all pages, the platform's name say, tells nothing.
                    _stay_out(page, name, seen - main_headings(page), private.path)
                    return

        def go() -> JourneyTaken:
            with self._visitor.window(target.widest) as (context, watch):
                return self._taken(SIGNING_OUT, context, watch.collect, steps, guards=False)

        def _stay_out(page: Page, name: str, seen: set[str], path: str) -> None:
            if not seen:
                raise StepError(
                    f"whether {name} is shown after signing out can't be told: it has no main "
                    "heading that the page after signing out lacks"
                )
            for how, step in (
                ("the back button", WebStep(go=Move.BACK)),
                (f"its address {path}", WebStep(open=path)),
            ):
                self._visitor.take(page, [step], {})
                settle(page)
                again = seen & main_headings(page)
                if again:
                    raise StepError(
                        f"after signing out, {how} leads to {name} again, which shows "
                        f'"{min(again)}"'
                    )

        target = self._visitor.target
        return self._visitor.look(go, steps=len(target.sign_in) + len(target.sign_out) + 6)

    def _steps(self, page: Page, journey: WebJourney, values: dict[str, object]) -> None:
        try:
            self._visitor.take(page, journey.steps, values)
        except StepError as error:
            left = self._cleaned_up(page, journey, values)
            raise StepError("\n".join([str(error), *left])) from None
        left = self._cleaned_up(page, journey, values)
        if left:
            raise StepError("\n".join(left))

    def _cleaned_up(self, page: Page, journey: WebJourney, values: dict[str, object]) -> list[str]:
        """What of the clean-up went wrong; steps whose values were never captured are left out."""
        left = []
        for step in journey.cleanup:
            if step.places() <= values.keys():
                try:
                    self._visitor.take(page, [step], values)
                except StepError as error:
                    left.append(f"cleaning up, {error}")
        return left

    def _taken(
        self,
        name: str,
        context: BrowserContext,
        collect: Callable[[], None],
        steps: Callable[[Page], None],
        *,
        guards: bool,
    ) -> JourneyTaken:
        """Take steps in a window whose requests are guarded, and tell how that went."""
        refused: list[str] = []
        if guards:
            guard(context, self._may_send, refused.append)
        watch_vitals(context)
        context.tracing.start(snapshots=True, title=name)
        page = context.new_page()
        complaints: list[str] = []
        reactions: list[float] = []
        self._visitor.act = partial(_timed, page, reactions)
        try:
            steps(page)
            # What the last step has the page send is to be told, too.
            settle(page)
        except StepError as error:
            complaints = str(error).splitlines()
        finally:
            self._visitor.act = at_once
        complaints += [
            f"{request} was kept from the platform: journeys only read. Mark it `writes: true`, "
            "where the environment allows that"
            for request in dict.fromkeys(refused)
        ]
        collect()
        if not complaints:
            context.tracing.stop()
            return JourneyTaken(name, reactions_s=tuple(reactions))
        settle(page)
        picture = None
        with contextlib.suppress(Error):
            picture = self._visitor.picture_of(page)
        return JourneyTaken(
            name,
            tuple(complaints),
            tuple(reactions),
            picture,
            self._visitor.save_trace(context, name),
            page.url,
        )


def guard(context: BrowserContext, may_send: Leave, refuse: Callable[[str], None]) -> None:
    """Let nothing out of a window that doesn't only read.

    Args:
        context: The window; its cache is out of use from now on, as with all of Playwright's
            routes.
        may_send: Which requests may be sent all the same.
        refuse: Takes method and address of what was kept back.
    """

    def decide(route: Route) -> None:
        request = route.request
        if request.method in READING or may_send(request.method, request.url):
            route.continue_()
            return
        refuse(f"{request.method} {request.url}")
        route.abort("blockedbyclient")

    context.route("**/*", decide)


def _timed(page: Page, reactions_s: list[float], do: Callable[[], None]) -> None:
    taken_s = measure_interaction(page, do)
    if taken_s is not None:
        reactions_s.append(taken_s)
