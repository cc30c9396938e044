"""The versions of TLS and the cipher suites that a server takes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from deployment_gate.probes.blame import Blame
from deployment_gate.security import client_hello
from deployment_gate.security.handshakes import (
    ANY_SUITE,
    TLS_1_2,
    VERSIONS,
    Dialler,
    Handshake,
    TlsServer,
    Unanswered,
    can_offer,
    open_context,
)

MOST_SUITES = 6
"""Of one kind, that a server is asked for before enough is known."""

INTERMEDIATE_SUITES = frozenset(
    {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-CHACHA20-POLY1305",
    }
)
"""The suites of TLS 1.2 in Mozilla's intermediate profile, by OpenSSL's names."""

# Pre-shared keys and passwords, which nobody has for a web server.
_NEEDS_A_SECRET = ("psk", "srp")
_FORWARD_SECRET = frozenset({"kx-dhe", "kx-ecdhe"})
_FEWEST_BITS = 128
_DH_TOO_SMALL = "DH_KEY_TOO_SMALL"

# Groups of Diffie-Hellman that OpenSSL refuses by itself at its levels of security.
DH_BITS_BY_LEVEL = {2: 2048, 1: 1024}


class SuiteKind(StrEnum):
    """What is to be said of suites of TLS 1.2 that no profile has, the worst first."""

    BROKEN = "broken"
    """No encryption, or nobody's identity, or keys that can be guessed."""
    WEAK = "weak"
    """No forward secrecy, or encryption that isn't authenticated."""
    OUTSIDE = "outside"
    """Sound, but in no profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenProtocols:
    """What a server takes.

    Attributes:
        accepted: Versions, the oldest first.
        refused: Versions that it was seen to refuse.
        suites: Suites of TLS 1.2 beside those of the intermediate profile, by their kind.
        has_more: Kinds of which it may take still more.
        takes_ssl_3: Whether it takes SSL 3.0; None where that is unknown.
        dh_below: A number of bits that its Diffie-Hellman group is smaller than.
        unseen: What could not be looked at, a sentence each.
    """

    accepted: tuple[ssl.TLSVersion, ...]
    refused: tuple[ssl.TLSVersion, ...] = ()
    suites: dict[SuiteKind, tuple[str, ...]] = field(default_factory=dict)
    has_more: frozenset[SuiteKind] = frozenset()
    takes_ssl_3: bool | None = None
    dh_below: int | None = None
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of an offer.

    Attributes:
        handshake: Where it was taken.
        suite: Which one was taken of those that OpenSSL has no more.
        reason: Where it was refused, OpenSSL's name for how; "" where the line just went dead.
        unknown: Where neither is known, why.
    """

    handshake: Handshake | None = None
    suite: int | None = None
    reason: str | None = None
    unknown: Blame | None = None


def see_protocols(server: TlsServer, dialler: Dialler) -> SeenProtocols:
    """Look at which versions and suites a server takes.

    Raises:
        Unanswered: It finished no handshake, whatever was offered.
    """
    return _Look(server, dialler).see()


class _Look:
    """One look at a server; it keeps count of what it could not see."""

    def __init__(self, server: TlsServer, dialler: Dialler) -> None:
        self._server = server
        self._dialler = dialler
        self._unseen: list[str] = []
        self._is_dead_silent = False

    def see(self) -> SeenProtocols:
        """See that it answers at all, then try each version by itself, then suites of TLS 1.2."""
        control = self._try(open_context)
        if control.handshake is None:
            raise Unanswered(self._server, _why_none(control))
        tried = {version: self._try_version(version) for version in VERSIONS}
        accepted = [version for version, one in tried.items() if one.handshake]
        refused = [
            version
            for version, one in tried.items()
            if one.reason is not None and self._knows(version)
        ]
        for version, one in tried.items():
            if one.unknown:
                self._note(VERSIONS[version], one.unknown)
        takes_ssl_3 = self._takes_ssl_3()
        suites: dict[SuiteKind, tuple[str, ...]] = {}
        has_more: set[SuiteKind] = set()
        dh_below = None
        if TLS_1_2 in accepted:
            for kind in SuiteKind:
                suites[kind] = tuple(self._suites_taken(suites_of(kind)))
                if len(suites[kind]) == MOST_SUITES:
                    has_more.add(kind)
            given_up = tuple(self._given_up_suites_taken())
            suites[SuiteKind.BROKEN] += given_up
            if len(given_up) == MOST_SUITES:
                has_more.add(SuiteKind.BROKEN)
            dh_below = self._dh_below()
        self._confirm()
        return SeenProtocols(
            accepted=tuple(accepted),
            refused=tuple(refused),
            suites=suites,
            has_more=frozenset(has_more),
            takes_ssl_3=takes_ssl_3,
            dh_below=dh_below,
            unseen=tuple(self._unseen),
        )

    def _try_version(self, version: ssl.TLSVersion) -> _Tried:
        try:
            return self._try(lambda: open_context(version, version))
        except ValueError:
            return _Tried(reason="NO_PROTOCOLS_AVAILABLE")

    def _knows(self, version: ssl.TLSVersion) -> bool:
        """Whether a refusal of a version was the server's: not if it was never offered."""
        if can_offer(version):
            return True
        self._unseen.append(
            f"{self._server.place}: {VERSIONS[version]} could not be offered by this machine's "
            f"{ssl.OPENSSL_VERSION}; look from one whose policy allows that"
        )
        return False

    def _suites_taken(self, offered: Sequence[str]) -> Iterator[str]:
        """Offer suites, and again without the one that was taken, a few times."""
        left = list(offered)
        for _ in range(MOST_SUITES):
            if not left:
                return
            tried = self._try_suites(left, level=0)
            if tried.unknown:
                self._note(f"some of {len(left)} cipher suites", tried.unknown)
            if tried.handshake is None or tried.handshake.suite not in left:
                return
            left.remove(tried.handshake.suite)
            yield tried.handshake.suite

    def _takes_ssl_3(self) -> bool | None:
        tried = self._offer(client_hello.SSL_3_0, client_hello.OF_SSL_3)
        if tried.unknown:
            self._note("SSL 3.0", tried.unknown)
            return None
        return tried.suite is not None

    def _given_up_suites_taken(self) -> Iterator[str]:
        """Offer suites of TLS 1.2 that OpenSSL has no more, as the others."""
        left = [*client_hello.GIVEN_UP]
        for _ in range(MOST_SUITES):
            tried = self._offer(client_hello.TLS_1_2, left)
            if tried.unknown:
                self._note(f"some of {len(left)} cipher suites", tried.unknown)
            if tried.suite not in left:
                return
            left.remove(tried.suite)
            yield client_hello.GIVEN_UP[tried.suite]

    def _offer(self, version: int, suites: Sequence[int]) -> _Tried:
        try:
            return _Tried(suite=self._dialler.offer(self._server, version=version, suites=suites))
        except (client_hello.NoHelloError, ConnectionResetError, BrokenPipeError):
            self._is_dead_silent = True
            return _Tried(reason="")
        except OSError as error:
            return _Tried(unknown=self._dialler.why_not(self._server, error))

    def _dh_below(self) -> int | None:
        """A size that the group is smaller than, as OpenSSL's levels of security refuse them.

        Python doesn't tell the group itself.
        """
        found = None
        for level, bits in DH_BITS_BY_LEVEL.items():
            tried = self._try_suites(_dh_suites(), level=level)
            if tried.unknown:
                self._note("the Diffie-Hellman group", tried.unknown)
            if tried.reason != _DH_TOO_SMALL:
                break
            found = bits
        return found

    def _try_suites(self, suites: Iterable[str], *, level: int) -> _Tried:
        offered = [*suites, f"@SECLEVEL={level}"]
        return self._try(lambda: open_context(TLS_1_2, TLS_1_2, suites=offered))

    def _confirm(self) -> None:
        """A line that went dead may be a refusal, or a firewall that has had enough of us."""
        if self._is_dead_silent and self._try(open_context).handshake is None:
            self._unseen.append(
                f"{self._server.place}: connections were cut off, and in the end one that it had "
                "taken before, too. See what limits connections"
            )

    def _try(self, make_context: Callable[[], ssl.SSLContext]) -> _Tried:
        try:
            return _Tried(handshake=self._dialler.shake_hands(self._server, make_context()))
        except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):
            self._is_dead_silent = True
            return _Tried(reason="")
        except ssl.SSLError as error:
            return _Tried(reason=error.reason or str(error))
        except OSError as error:
            return _Tried(unknown=self._dialler.why_not(self._server, error))

    def _note(self, what: str, why: Blame) -> None:
        told = why.error or why.unobserved
        self._unseen.append(f"{self._server.place}: whether it takes {what} is unknown: {told}")


def _why_none(control: _Tried) -> Blame:
    """Why a server took nothing at all."""
    if control.unknown:
        return control.unknown
    why = f"it was refused: {control.reason}" if control.reason else "the connection was closed"
    return Blame(error=f"the TLS handshake failed with whatever could be offered; {why}")


@cache
def suites_of(kind: SuiteKind) -> tuple[str, ...]:
    """The suites of TLS 1.2 of a kind that this machine's OpenSSL can offer."""
    return tuple(
        str(one["name"])
        for one in open_context(suites=[ANY_SUITE]).get_ciphers()
        if one["protocol"] != "TLSv1.3"
        and not any(word in f"{one['kea']} {one['auth']}" for word in _NEEDS_A_SECRET)
        and one["name"] not in INTERMEDIATE_SUITES
        # Its last two bytes are IANA's number; those are offered by hand, whoever has them.
        and int(one["id"]) & 0xFFFF not in client_hello.GIVEN_UP
        and _kind_of(one) is kind
    )


def _kind_of(suite: object) -> SuiteKind:
    assert isinstance(suite, dict)
    is_broken = (
        suite["auth"] == "auth-null"
        or suite["strength_bits"] < _FEWEST_BITS
        or any(word in suite["name"] for word in ("RC4", "DES", "MD5"))
    )
    if is_broken:
        return SuiteKind.BROKEN
    is_sound = suite["kea"] in _FORWARD_SECRET and suite["aead"]
    return SuiteKind.OUTSIDE if is_sound else SuiteKind.WEAK


@cache
def _dh_suites() -> tuple[str, ...]:
    """The suites by whose handshakes a server shows its group."""
    return tuple(
        str(one["name"])
        for one in open_context(suites=[ANY_SUITE]).get_ciphers()
        if one["kea"] == "kx-dhe" and one["auth"] != "auth-null"
    )
