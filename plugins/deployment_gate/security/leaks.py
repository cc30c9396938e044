"""Headers that tell which product answers, and in which version.

The names are those that the OWASP Secure Headers Project asks to remove, of November 2026; without
source maps, for which the checks of exposure ask. They only warn: knowing a version lets nobody in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Answer, Answers, breach_at
from deployment_gate.security.rules import Looked, Rule

PRODUCT = Rule(
    id="product-disclosed",
    severity=FindingSeverity.LOW,
    title="Answers tell which product they come from",
    source="OWASP Secure Headers Project; OWASP ASVS 5.0, 13.4.6",
    remedy="Have the proxy in front remove these headers, and the version from `Server`.",
)

RULES: tuple[Rule, ...] = (PRODUCT,)

TELLING = frozenset(
    {
        "$wsep",
        "host-header",
        "k-proxy-request",
        "liferay-portal",
        "oraclecommercecloud-version",
        "pega-host",
        "powered-by",
        "product",
        "x-aspnet-version",
        "x-aspnetmvc-version",
        "x-atmosphere-error",
        "x-atmosphere-first-request",
        "x-atmosphere-tracking-id",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-spanid",
        "x-b3-traceid",
        "x-beserver",
        "x-calculatedbetarget",
        "x-cf-powered-by",
        "x-cms",
        "x-cocoon-version",
        "x-content-encoded-by",
        "x-diaginfo",
        "x-dtagentid",
        "x-dthealthcheck",
        "x-dtinjectedservlet",
        "x-envoy-attempt-count",
        "x-envoy-external-address",
        "x-envoy-internal",
        "x-envoy-original-dst-host",
        "x-envoy-upstream-service-time",
        "x-feserver",
        "x-framework",
        "x-generated-by",
        "x-generator",
        "x-jitsi-release",
        "x-kong-proxy-latency",
        "x-kong-upstream-latency",
        "x-kubernetes-pf-flowschema-ui",
        "x-kubernetes-pf-prioritylevel-uid",
        "x-litespeed-cache",
        "x-litespeed-cache-control",
        "x-litespeed-purge",
        "x-litespeed-tag",
        "x-litespeed-vary",
        "x-mod-pagespeed",
        "x-nextjs-cache",
        "x-nextjs-matched-path",
        "x-nextjs-page",
        "x-nextjs-redirect",
        "x-old-content-length",
        "x-oneagent-js-injection",
        "x-owa-version",
        "x-page-speed",
        "x-php-version",
        "x-powered-by",
        "x-powered-by-plesk",
        "x-powered-cms",
        "x-redirect-by",
        "x-ruxit-js-agent",
        "x-server-powered-by",
        "x-turbo-charged-by",
        "x-umbraco-version",
        "x-varnish-backend",
        "x-varnish-server",
    }
)
"""Names of headers that tell of a product by being there, in lower case."""

_VERSION = re.compile(r"/\s*v?[0-9]|[0-9]+\.[0-9]+")
_SHOWN = 60
"""Characters of a header's value that are told."""


def look_at_leaks(answers: Answers) -> Looked:
    """Which headers tell of products; one breach, however many there are.

    Args:
        answers: Answers of every kind.
    """
    told = {one: [*telling_headers(one)] for one in answers.seen}
    bad = [one for one, found in told.items() if found]
    if not bad:
        return Looked((), answers.unseen)
    names = dict.fromkeys(header for one in bad for header in told[one])
    return Looked((breach_at(PRODUCT, ", ".join(names), bad),), answers.unseen)


def telling_headers(answer: Answer) -> Iterator[str]:
    """The headers of an answer that tell of a product, as `Name: value`.

    `Server` counts where it names a version: the bare name of a server tells what its behaviour
    does anyway.
    """
    for raw_name, raw_value in answer.response.headers.raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        is_server = name.lower() == "server"
        if name.lower() in TELLING or (is_server and _VERSION.search(value)):
            # What is measured differs each time, and an address is another rule's matter.
            yield name if re.fullmatch(r"[0-9.:a-f-]*", value) else f"{name}: {value[:_SHOWN]}"
