"""The faults that make the platform insecure, each in one way."""

from sandbox.fault import Fault, Part
from sandbox.flaws import Flaw
from sandbox.insecurity import (
    SharedCache,
    answer_trace,
    lead_to_the_named_host,
    name_the_server,
    serve_a_repository,
    serve_a_secret,
    serve_a_source_map,
    serve_documentation,
    set_an_open_cookie,
)

BOTH = frozenset(Part)
WEB = frozenset({Part.WEB})

# Those further down stand further out, as in `FAULTS`.
SECURITY_FAULTS = (
    Fault(
        "any-token-admin",
        "Whoever is signed in may do what only administrators may.",
        flaws=(Flaw.ANY_TOKEN_ADMIN,),
    ),
    Fault(
        "any-object",
        "Whoever is signed in may read every user's account.",
        flaws=(Flaw.ANY_OBJECT,),
    ),
    Fault(
        "mass-assignment",
        "Whoever changes an account of their own may give themselves a role.",
        flaws=(Flaw.MASS_ASSIGNMENT,),
    ),
    Fault(
        "alg-none",
        "Tokens that say they aren't signed (alg none) are taken.",
        flaws=(Flaw.ALG_NONE,),
    ),
    Fault(
        "no-rate-limit",
        "Failed sign-ins are never limited.",
        flaws=(Flaw.NO_RATE_LIMIT,),
    ),
    Fault(
        "user-enumeration",
        "A refused sign-in tells whether the username is known.",
        flaws=(Flaw.USER_ENUMERATION,),
    ),
    Fault(
        "default-account",
        "The username admin signs in by the password admin, too.",
        flaws=(Flaw.DEFAULT_ACCOUNT,),
    ),
    Fault(
        "sql-in-errors",
        "An apostrophe in a search is answered 400 and the SQL statement.",
        flaws=(Flaw.SQL_IN_ERRORS,),
    ),
    Fault(
        "echoed-password",
        "A refused sign-in repeats the password that was sent.",
        flaws=(Flaw.ECHOED_PASSWORD,),
    ),
    Fault(
        "wildcard-cors",
        "The API lets pages of every origin read its answers, credentials included.",
        flaws=(Flaw.WILDCARD_CORS,),
    ),
    Fault(
        "cached-identity",
        "An account that was asked for is given for a minute to whoever asks the same URL.",
        around=SharedCache("/api/v1/auth/me"),
    ),
    Fault(
        "reflected-host",
        "Redirects of the API lead to the host that the Host header names.",
        around=lead_to_the_named_host,
    ),
    Fault("open-docs", "The API serves its documentation to anybody.", around=serve_documentation),
    Fault("trace-method", "The API answers TRACE with what it was sent.", around=answer_trace),
    Fault(
        "verbose-server",
        "Answers of API and web interface name the software and its version.",
        around=name_the_server,
        parts=BOTH,
    ),
    Fault(
        "exposed-git",
        "The web interface serves files of its Git repository.",
        around=serve_a_repository,
        parts=WEB,
    ),
    Fault(
        "spa-fallback",
        "The web interface answers every unknown path 200 with its start page.",
        flaws=(Flaw.SPA_FALLBACK,),
        parts=WEB,
    ),
    Fault(
        "insecure-cookie",
        "Pages set a session cookie without Secure, HttpOnly and SameSite.",
        around=set_an_open_cookie,
        parts=WEB,
    ),
    Fault(
        "source-map",
        "A script of the web interface names its source map, which is served.",
        around=serve_a_source_map,
        parts=WEB,
    ),
    Fault(
        "secret-in-script",
        "A script of the web interface holds a key to a cloud.",
        around=serve_a_secret,
        parts=WEB,
    ),
    Fault(
        "weak-tls",
        "TLS 1.0 and 1.1 are taken, too.",
        flaws=(Flaw.WEAK_TLS,),
        parts=BOTH,
        needs_tls=True,
    ),
    Fault(
        "expiring-certificate",
        "The certificate is good for 3 more days.",
        flaws=(Flaw.EXPIRING_CERTIFICATE,),
        parts=BOTH,
        needs_tls=True,
    ),
)
