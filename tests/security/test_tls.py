"""Versions and suites of real servers, against Mozilla's profiles."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deployment_gate.environment import TlsProfile
from deployment_gate.probes.budget import Budget, BudgetSpentError
from deployment_gate.security import handshakes, protocols, tls
from deployment_gate.security.handshakes import (
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    VERSIONS,
    Dialler,
    Unanswered,
    can_offer,
)
from deployment_gate.security.protocols import SuiteKind, see_protocols, suites_of
from deployment_gate.security.rules import Looked
from deployment_gate.security.tls import look_at_protocols
from tests.security import tls_servers
from tests.security.tls_servers import Counted, Listener, issue, rules_of, server_context

INTERMEDIATE, MODERN = TlsProfile.INTERMEDIATE, TlsProfile.MODERN


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate."""
    return issue("own").save(tmp_path_factory.mktemp("certificate"), sending=0)


@pytest.fixture(scope="module")
def rsa_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with RSA, which the suites of old are for."""
    own = issue("own", key=tls_servers.rsa_key())
    return own.save(tmp_path_factory.mktemp("certificate"), sending=0)


def look(
    context: ssl.SSLContext, profile: TlsProfile = INTERMEDIATE
) -> tuple[Looked, Counted, Listener]:
    """Look at a server, and tell what was counted and what came."""
    counted = Counted()
    with tls_servers.tls(context) as taking:
        looked = look_at_protocols(taking.server, counted.dialler, profile)
    assert {one.places for one in looked.breaches} <= {(taking.server.place,)}
    return looked, counted, taking


def found(context: ssl.SSLContext, profile: TlsProfile = INTERMEDIATE) -> dict[str, str]:
    """The rules that a server breaks; nothing may stay unseen."""
    looked, _, _ = look(context, profile)
    assert not looked.unseen
    return rules_of(looked.breaches)


def test_a_sound_server_breaks_nothing_and_is_asked_a_few_times(certificate: Path) -> None:
    begin = time.perf_counter()
    looked, counted, taking = look(server_context(certificate))
    took_s = time.perf_counter() - begin

    assert looked == Looked()
    assert taking.connections == len(counted.spent) <= 12
    assert took_s < 1.5


def test_a_modern_server_breaks_nothing_of_either_profile(certificate: Path) -> None:
    context = server_context(certificate, oldest=TLS_1_3)

    assert found(context, MODERN) == {}
    assert found(context, INTERMEDIATE) == {}


def test_one_that_speaks_tls_1_0_only_is_told(certificate: Path) -> None:
    context = server_context(
        certificate, oldest=TLS_1_0, newest=TLS_1_0, suites=tls_servers.WEAK_SUITES
    )

    assert found(context) == {"tls-only-obsolete": "high"}


def test_one_that_takes_tls_1_0_and_1_2_is_told(certificate: Path) -> None:
    suites = f"{tls_servers.SOUND_SUITES}:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"
    context = server_context(certificate, oldest=TLS_1_0, newest=TLS_1_2, suites=suites)

    looked, _, _ = look(context)

    assert rules_of(looked.breaches) == {
        "tls-obsolete-version": "medium",
        "tls-1-3-missing": "low",
    }
    assert "TLS 1.0, TLS 1.1 and TLS 1.2" in looked.breaches[0].detail


def test_suites_that_old_versions_need_are_a_finding_only_without_these(certificate: Path) -> None:
    suites = f"{tls_servers.SOUND_SUITES}:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384"
    suites += ":@SECLEVEL=0"
    with_old, _, _ = look(server_context(certificate, oldest=TLS_1_0, suites=suites))
    without, _, _ = look(server_context(certificate, suites=suites))

    assert rules_of(with_old.breaches) == {
        "tls-obsolete-version": "medium",
        "tls-weak-suite": "medium",
    }
    assert with_old.breaches[-1].detail.endswith("TLS 1.2: ECDHE-ECDSA-AES256-SHA384")
    assert "ECDHE-ECDSA-AES128-SHA," in f"{without.breaches[-1].detail},"


def test_one_without_tls_1_3_only_warns(certificate: Path) -> None:
    assert found(server_context(certificate, newest=TLS_1_2)) == {"tls-1-3-missing": "low"}


def test_the_modern_profile_leaves_tls_1_2_out(certificate: Path) -> None:
    assert found(server_context(certificate), MODERN) == {"tls-version-outside-profile": "medium"}
    assert found(server_context(certificate, newest=TLS_1_2), MODERN) == {
        "tls-version-outside-profile": "medium",
        "tls-1-3-missing": "medium",
    }


@pytest.mark.parametrize(
    ("suites", "rules"),
    [
        ("ECDHE-ECDSA-AES256-SHA384", {"tls-weak-suite": "medium"}),
        ("ECDHE-ECDSA-NULL-SHA", {"tls-broken-suite": "high"}),
        ("AECDH-AES128-SHA", {"tls-broken-suite": "high"}),
        ("ECDHE-ECDSA-AES128-CCM", {"tls-suite-outside-profile": "low"}),
    ],
)
def test_suites_are_told_by_what_they_lack(
    suites: str, rules: dict[str, str], certificate: Path
) -> None:
    offered = f"{tls_servers.SOUND_SUITES}:{suites}:@SECLEVEL=0"
    looked, _, _ = look(server_context(certificate, suites=offered))

    assert rules_of(looked.breaches) == rules
    assert looked.breaches[0].detail.endswith(f"takes with TLS 1.2: {suites}")


def test_a_key_exchange_without_forward_secrecy_is_told(rsa_certificate: Path) -> None:
    suites = f"{tls_servers.SOUND_SUITES}:AES128-GCM-SHA256"

    assert found(server_context(rsa_certificate, suites=suites)) == {"tls-weak-suite": "medium"}


def test_a_server_that_takes_everything_is_not_asked_for_all_of_it(rsa_certificate: Path) -> None:
    suites = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
    looked, counted, _ = look(server_context(rsa_certificate, suites=suites))

    assert rules_of(looked.breaches) == {
        "tls-broken-suite": "high",
        "tls-weak-suite": "medium",
        "tls-suite-outside-profile": "low",
    }
    weak = next(one for one in looked.breaches if one.rule is tls.WEAK_SUITE)
    assert weak.detail.endswith(", and maybe more")
    assert len(counted.spent) <= 3 * protocols.MOST_SUITES + 8


def test_a_small_diffie_hellman_group_is_told(rsa_certificate: Path, tmp_path: Path) -> None:
    suites = f"{tls_servers.SOUND_SUITES}:DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
    group = tls_servers.save_dh_group(tmp_path)

    looked, _, _ = look(server_context(rsa_certificate, suites=suites, dh_group=group))

    assert rules_of(looked.breaches) == {"tls-weak-dh": "medium"}
    assert looked.breaches[0].detail.endswith("of fewer than 2048 bits")


def test_every_suite_of_this_machine_is_of_one_kind_or_of_the_profile() -> None:
    # Those that need a secret of both sides no web server can be asked for.
    context = handshakes.open_context(suites=[f"{handshakes.ANY_SUITE}:!PSK:!SRP"])
    ours = {one["name"] for one in context.get_ciphers() if one["protocol"] != "TLSv1.3"}
    kinds = [set(suites_of(kind)) for kind in SuiteKind]

    assert sum(map(len, kinds)) == len(set.union(*kinds))
    assert set.union(*kinds) == ours - protocols.INTERMEDIATE_SUITES
    assert {"AES128-SHA", "DHE-RSA-AES256-SHA"} <= kinds[1]


def test_this_machine_proves_what_it_can_offer() -> None:
    # Whoever runs the tests may have a policy, but not one against what is in use.
    assert can_offer(TLS_1_2)
    assert can_offer(TLS_1_3)
    assert not can_offer.__wrapped__(ssl.TLSVersion.SSLv3)


def test_what_this_machine_can_not_offer_is_unseen(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "can_offer", lambda version: version is not TLS_1_0)

    looked, _, _ = look(server_context(certificate))

    assert not looked.breaches
    (unseen,) = looked.unseen
    assert "TLS 1.0 could not be offered by this machine's OpenSSL" in unseen


def test_what_is_taken_needs_no_proof(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "can_offer", lambda version: version in {TLS_1_0, TLS_1_1})

    assert not look(server_context(certificate))[0].unseen


def _answering(
    context: ssl.SSLContext, limit: Callable[[int], str]
) -> Callable[[socket.socket], None]:
    """Do TLS, or hang up, or say nothing, by how many connections there were before."""
    taken: list[int] = []

    def answer(connection: socket.socket) -> None:
        taken.append(1)
        what = limit(len(taken))
        connection.settimeout(10)
        if what == "hang up":
            return
        if what == "say nothing":
            while connection.recv(4096):
                pass
            return
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    return answer


def test_a_firewall_that_has_had_enough_is_no_refusal(certificate: Path) -> None:
    answer = _answering(
        server_context(certificate), lambda number: "hang up" if number > 5 else "answer"
    )

    with tls_servers.serving(answer) as taking:
        looked = look_at_protocols(taking.server, Counted().dialler, INTERMEDIATE)

    assert not looked.breaches
    (unseen,) = looked.unseen
    assert "connections were cut off" in unseen


def test_a_server_that_hangs_up_on_old_versions_refuses_them(certificate: Path) -> None:
    # The second and the third connection are those with TLS 1.0 and 1.1.
    answer = _answering(
        server_context(certificate), lambda number: "hang up" if number in {2, 3} else "answer"
    )

    with tls_servers.serving(answer) as taking:
        seen = see_protocols(taking.server, Counted().dialler)

    assert seen.accepted == (TLS_1_2, TLS_1_3)
    assert seen.refused == (TLS_1_0, TLS_1_1)
    assert not seen.unseen


def test_a_version_that_is_left_unanswered_is_unseen(certificate: Path) -> None:
    answer = _answering(
        server_context(certificate), lambda number: "say nothing" if number == 2 else "answer"
    )

    with tls_servers.serving(answer) as taking:
        looked = look_at_protocols(taking.server, Counted(timeout_s=0.2).dialler, INTERMEDIATE)

    assert not looked.breaches
    (unseen,) = looked.unseen
    assert "whether it takes TLS 1.0 is unknown" in unseen


def test_silence_is_the_servers_doing_and_asked_once() -> None:
    counted = Counted(timeout_s=0.2)

    with tls_servers.silent() as taking, pytest.raises(Unanswered) as caught:
        see_protocols(taking.server, counted.dialler)

    assert caught.value.blame.error == "takes connections, but finished none within 0.2 s"
    assert len(counted.spent) == 1


def test_plain_text_is_no_pass() -> None:
    with (
        tls_servers.plain(b"HTTP/1.1 400 Bad Request\r\n\r\n") as taking,
        pytest.raises(Unanswered, match="WRONG_VERSION_NUMBER") as caught,
    ):
        see_protocols(taking.server, Counted().dialler)

    assert caught.value.blame.error


def test_a_server_that_hangs_up_on_everybody_is_no_pass() -> None:
    with tls_servers.plain(b"") as taking, pytest.raises(Unanswered, match="was closed"):
        see_protocols(taking.server, Counted().dialler)


def test_a_spent_budget_ends_the_look(certificate: Path) -> None:
    budget = Budget(most=3, rate=1000, hosts=frozenset({tls_servers.HOST}))

    with (
        tls_servers.tls(server_context(certificate)) as taking,
        pytest.raises(BudgetSpentError),
    ):
        see_protocols(taking.server, Dialler(budget.spend, 5))

    assert taking.connections == 3


def test_versions_are_named_from_the_oldest_on() -> None:
    assert list(VERSIONS) == [TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3]
