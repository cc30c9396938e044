"""The browser of a process: started when it is first needed, and once more when it fails."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

T = TypeVar("T")

_STARTS = 2
"""One, and a fresh one."""

_SIGN_OF_LIFE_S = 5.0


class BrowserTroubleError(GateError):
    """The browser failed, which says nothing of the target."""


class OwnBrowser:
    """The one browser that this process looks with.

    A browser that hangs is ended, so that what waits for it goes on: a hang becomes a crash.

    Args:
        launch: Starts a browser.
    """

    def __init__(self, launch: Callable[[], Browser]) -> None:
        self._launch = launch
        self._browser: Browser | None = None
        self._program: int | None = None
        self._starts = 0

    @property
    def browser(self) -> Browser:
        """It, running.

        Raises:
            BrowserTroubleError: It failed, and so did the fresh one.
        """
        if self._browser is not None and self._browser.is_connected():
            return self._browser
        if self._starts == _STARTS:
            raise BrowserTroubleError(
                "the browser failed, and once more after a fresh start. See whether this machine "
                "has memory left (in a container also --shm-size), then validate again"
            )
        self._starts += 1
        self._browser = self._launch()
        self._program = _program_of(self._browser)
        return self._browser

    @contextlib.contextmanager
    def context(self, **options: Any) -> Iterator[BrowserContext]:
        """A context of its own, as new as a private window."""
        context = self.browser.new_context(**options)
        try:
            yield context
        finally:
            with _what_died_aside():
                context.close()

    def look(self, look: Callable[[], T], *, limit_s: float, is_repeatable: bool = True) -> T:
        """Carry out `look`; where the browser fails meanwhile, once more in a fresh one.

        Args:
            look: Looks with `context`.
            limit_s: After how many seconds the browser counts as hanging.
            is_repeatable: Whether it may be carried out again.

        Raises:
            BrowserTroubleError: The fresh one failed, too, or it may not be carried out again.
        """
        from playwright.sync_api import Error  # noqa: PLC0415  # few runs have a browser

        while True:
            # Where there is none any more, this is where that is said.
            browser = self.browser
            try:
                with self._watched(limit_s):
                    return look()
            except (KeyboardInterrupt, SystemExit):
                raise
            except Error:
                if browser.is_connected() and self._is_alive(browser):
                    raise
                if not is_repeatable:
                    raise BrowserTroubleError(
                        "the browser failed in the middle of what can't be done twice. See what "
                        "is left of it, then validate again"
                    ) from None
            except BaseException:
                # The check's own time was up first: who comes next shall not wait for it, too.
                self._is_alive(browser)
                raise

    def close(self) -> None:
        """End it."""
        if self._browser is not None and self._browser.is_connected():
            with self._watched(_SIGN_OF_LIFE_S), _what_died_aside():
                self._browser.close()

    def _is_alive(self, browser: Browser) -> bool:
        from playwright.sync_api import Error  # noqa: PLC0415

        try:
            with self._watched(_SIGN_OF_LIFE_S), browser.new_context() as context:
                return bool(context.new_page().evaluate("true"))
        except Error:
            return False

    @contextlib.contextmanager
    def _watched(self, limit_s: float) -> Iterator[None]:
        """While this runs for too long, the browser is ended, which wakes who waits for it."""
        program = self._program

        def end() -> None:
            if program is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(program, signal.SIGKILL)

        timer = threading.Timer(limit_s, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _program_of(browser: Browser) -> int | None:
    """The process that the browser is; Chromium tells, others may not."""
    from playwright.sync_api import Error  # noqa: PLC0415

    try:
        told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    except Error:
        return None
    return next((one["id"] for one in told["processInfo"] if one["type"] == "browser"), None)


@contextlib.contextmanager
def _what_died_aside() -> Iterator[None]:
    """Closing what has died already is no error."""
    from playwright.sync_api import Error  # noqa: PLC0415

    with contextlib.suppress(Error):
        yield
