"""The faults that the sandbox can be given: one record for each.

A fault gives the platform flaws, or stands around each request. A new fault is a new record in
`FAULTS` and its test; those of security are in `security_faults`.
"""

import difflib
import math

from sandbox.errors import SandboxError
from sandbox.fault import Fault, Part, Value
from sandbox.flaws import Flaw
from sandbox.interference import (
    Throttle,
    answer_broken_script,
    answer_some_with_an_error,
    answer_unhealthy,
    delay,
    delay_pages,
    hang,
    ignore_accepted_encodings,
    let_caches_keep,
    misroute,
    redirect_as_found,
)
from sandbox.security_faults import SECURITY_FAULTS

# Those further down stand further out: a slow platform is slow with its errors, too.
FAULTS = (
    Fault(
        "database-down",
        "The API loses its database: every query fails until the fault is cleared.",
        flaws=(Flaw.DATABASE_DOWN,),
    ),
    Fault(
        "cache-down",
        "The API loses its cache and what was in it.",
        flaws=(Flaw.CACHE_DOWN,),
    ),
    Fault(
        "lying-health",
        "The health endpoints say healthy while the database is gone.",
        flaws=(Flaw.DATABASE_DOWN, Flaw.LYING_HEALTH),
    ),
    Fault(
        "stale-release",
        "One of the two replicas of the API still serves the other release.",
        flaws=(Flaw.STALE_RELEASE,),
    ),
    Fault(
        "auth-bypass",
        "Protected routes answer without a token, and any password signs in.",
        flaws=(Flaw.AUTH_BYPASS,),
    ),
    Fault(
        "leaky-errors",
        "Errors show stack traces, SQL and paths, and a quote in a search provokes one.",
        flaws=(Flaw.LEAKY_ERRORS,),
    ),
    Fault(
        "missing-headers",
        "API and web interface leave their security headers out.",
        flaws=(Flaw.MISSING_HEADERS,),
        parts=frozenset(Part),
    ),
    Fault(
        "no-revocation",
        "An access token that was signed out still works.",
        flaws=(Flaw.NO_REVOCATION,),
    ),
    Fault(
        "accepts-expired",
        "An access token that has expired still works.",
        flaws=(Flaw.ACCEPTS_EXPIRED,),
    ),
    Fault(
        "reusable-refresh",
        "A refresh token that was used works again.",
        flaws=(Flaw.REUSABLE_REFRESH,),
    ),
    Fault(
        "wrong-type",
        "The version of a policy is a text instead of a number.",
        flaws=(Flaw.WRONG_TYPE,),
    ),
    Fault(
        "undocumented-field",
        "Policies carry a field that the API's description doesn't mention.",
        flaws=(Flaw.UNDOCUMENTED_FIELD,),
    ),
    Fault(
        "naive-timestamps",
        "A policy's time of change names no time zone.",
        flaws=(Flaw.NAIVE_TIMESTAMPS,),
    ),
    Fault(
        "wrong-total",
        "The list of policies names a total that is one too high.",
        flaws=(Flaw.WRONG_TOTAL,),
    ),
    Fault(
        "unbounded-pages",
        "A page may have up to 100000 items, though the description says 100.",
        flaws=(Flaw.UNBOUNDED_PAGES,),
    ),
    Fault(
        "overlapping-pages",
        "Each page after the first begins one item early.",
        flaws=(Flaw.OVERLAPPING_PAGES,),
    ),
    Fault(
        "ignored-filter",
        "The filters of the list of policies are ignored.",
        flaws=(Flaw.IGNORED_FILTER,),
    ),
    Fault(
        "lost-updates",
        "If-Match is ignored: who writes last overwrites what others wrote.",
        flaws=(Flaw.LOST_UPDATES,),
    ),
    Fault(
        "sticky-delete",
        "Deleting a policy is confirmed and deletes nothing.",
        flaws=(Flaw.STICKY_DELETE,),
    ),
    Fault(
        "unsearchable-writes",
        "Policies that were added are never found by the search.",
        flaws=(Flaw.UNSEARCHABLE_WRITES,),
    ),
    Fault(
        "latin-search",
        "The search finds nothing for words with letters beyond ASCII.",
        flaws=(Flaw.LATIN_SEARCH,),
    ),
    Fault(
        "fragile-search",
        "An apostrophe, percent sign or backslash in a search is answered 500.",
        flaws=(Flaw.FRAGILE_SEARCH,),
    ),
    Fault(
        "greedy-search",
        "The search finds everything, whatever is asked.",
        flaws=(Flaw.GREEDY_SEARCH,),
    ),
    Fault(
        "missing-route",
        "The search is answered 404, though the description has it.",
        around=misroute("/api/v1/search"),
    ),
    Fault(
        "uneven-errors",
        "404 answers are plain text instead of the one shape of errors.",
        flaws=(Flaw.UNEVEN_ERRORS,),
    ),
    Fault(
        "fragile-input",
        "Input that makes no sense is answered 500 instead of 422.",
        flaws=(Flaw.FRAGILE_INPUT,),
    ),
    Fault("no-head", "HEAD is answered 405.", flaws=(Flaw.NO_HEAD,)),
    Fault(
        "lossy-redirect",
        "Redirects are 302 instead of 307, so that a POST becomes a GET.",
        around=redirect_as_found,
    ),
    Fault("no-compression", "Answers are never compressed.", around=ignore_accepted_encodings),
    Fault(
        "public-caching",
        "Answers to signed-in users may be kept by every cache on the way.",
        around=let_caches_keep,
    ),
    Fault(
        "wrong-environment",
        "Version and health of the API name the environment staging.",
        flaws=(Flaw.WRONG_ENVIRONMENT,),
    ),
    Fault(
        "disagreeing-version",
        "The health of the API names another release than its version does.",
        flaws=(Flaw.DISAGREEING_VERSION,),
    ),
    Fault(
        "broken-javascript",
        "The script that every page of the web interface loads throws an error.",
        around=answer_broken_script,
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "missing-script",
        "A script of the web interface is gone: a page is answered in its place.",
        around=misroute("/static/shortcuts.js", to="/"),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "console-error",
        "Every page of the web interface writes an error to the console.",
        flaws=(Flaw.CONSOLE_ERROR,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "missing-image",
        "The image that every page of the web interface shows is answered 404.",
        around=misroute("/static/logo.svg"),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "overflow",
        "On phones every page of the web interface is wider than the screen.",
        flaws=(Flaw.OVERFLOW,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "inaccessible-form",
        "The field of the search form has no label.",
        flaws=(Flaw.INACCESSIBLE_FORM,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "layout-shift",
        "The content of every page jumps a moment after it was shown.",
        flaws=(Flaw.LAYOUT_SHIFT,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "visual-change",
        "A stripe below the header of every page has another colour.",
        flaws=(Flaw.VISUAL_CHANGE,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "login-refused",
        "The API refuses to sign in who comes by the web interface.",
        flaws=(Flaw.LOGIN_REFUSED,),
    ),
    Fault(
        "third-party",
        "Every page of the web interface loads a script from somebody else.",
        flaws=(Flaw.THIRD_PARTY,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "slow-interaction",
        "A press of a button of the web interface blocks the page for 600 ms.",
        flaws=(Flaw.SLOW_INTERACTION,),
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "undead-session",
        "Who goes back after signing out is signed in again.",
        flaws=(Flaw.UNDEAD_SESSION, Flaw.NO_REVOCATION),
        parts=frozenset(Part),
    ),
    Fault(
        "slow-page",
        "Each page of the web interface takes that much longer; what it loads doesn't.",
        around=delay_pages,
        value=Value("seconds, 0 to 600", default=2.5, highest=600.0),
        parts=frozenset({Part.WEB}),
    ),
    *SECURITY_FAULTS,
    Fault(
        "health-down",
        "The health endpoints of the API say unhealthy.",
        around=answer_unhealthy,
    ),
    Fault(
        "error-rate",
        "A share of the API's requests is answered 500.",
        around=answer_some_with_an_error,
        value=Value("the share, 0 to 1", default=0.2, highest=1.0),
    ),
    Fault(
        "latency",
        "Each answer of the API takes that much longer.",
        around=delay,
        value=Value("seconds, 0 to 600", default=0.8, highest=600.0),
    ),
    Fault(
        "throttle",
        "The API answers 429 what comes under /api/ above that many requests a second.",
        around=Throttle(),
        value=Value("requests a second, 1 to 100000", default=50.0, lowest=1.0, highest=100_000.0),
    ),
    Fault(
        "hang",
        "API and web interface accept requests and never answer.",
        around=hang,
        parts=frozenset(Part),
    ),
)
FAULTS_BY_NAME = {fault.name: fault for fault in FAULTS}


def parse_fault(text: str) -> tuple[str, float | None]:
    """Read `NAME` or `NAME=VALUE`; return the fault's name and its value.

    Raises:
        SandboxError: it isn't a fault, or its value isn't one; the message names those there are.

    >>> parse_fault("latency=1.5")
    ('latency', 1.5)
    >>> parse_fault("hang")
    ('hang', None)
    """
    name, separator, written = text.partition("=")
    fault = FAULTS_BY_NAME.get(name)
    if fault is None:
        raise SandboxError(describe_unknown(name))
    if not separator:
        return name, fault.value.default if fault.value else None
    if fault.value is None:
        raise SandboxError(f"The fault {name} takes no value; write just {name}.")
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not fault.value.lowest <= number <= fault.value.highest:
        raise SandboxError(
            f"{written!r} is no value for the fault {name}: it takes {fault.value.meaning}, "
            f"as in {fault.form}."
        )
    return name, number


def describe_unknown(name: str) -> str:
    """Say that there is no such fault, which ones are near, and which there are."""
    near = difflib.get_close_matches(name, FAULTS_BY_NAME, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(fault.form for fault in FAULTS)
    return f"There is no fault {name!r}.{hint} Known faults: {known}."
