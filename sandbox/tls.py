"""How the sandbox does TLS: as Mozilla's intermediate profile 5.7 asks, unless a flaw is set."""

import ssl
from collections.abc import Callable
from pathlib import Path

from sandbox.certificates import Certificates, prepare_expiring
from sandbox.errors import SandboxError
from sandbox.flaws import Flaw, Flaws

SOUND_CIPHERS = ":".join(
    f"ECDHE-ECDSA-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
)
# The least that TLS 1.0 needs: its ciphers, and signatures by SHA-1, which level 0 allows.
WEAK_CIPHERS = f"{SOUND_CIPHERS}:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0"


class SwitchedContext(ssl.SSLContext):
    """Meets each connection with the context that is right at its time."""

    choose: Callable[[], ssl.SSLContext]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - as ssl has it
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection; asyncio's servers do it by this."""
        return self.choose().wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def make_context(certificates: Certificates, flaws: Callable[[], Flaws]) -> ssl.SSLContext:
    """Return a context for servers that looks at each connection which flaws there are.

    Raises:
        SandboxError: The certificates can't be read.
    """
    try:
        sound = load(certificates.server, certificates.key, is_weak=False)
    except OSError as error:
        raise SandboxError(
            f"The certificates in {certificates.directory} can't be used ({error}): remove that "
            "directory, and `python -m sandbox certificates DIR` makes them anew."
        ) from error

    def choose() -> ssl.SSLContext:
        wrong = flaws()
        is_weak = Flaw.WEAK_TLS in wrong
        if Flaw.EXPIRING_CERTIFICATE in wrong:
            return load(prepare_expiring(certificates), None, is_weak=is_weak)
        return load(certificates.server, certificates.key, is_weak=True) if is_weak else sound

    context = SwitchedContext(ssl.PROTOCOL_TLS_SERVER)
    context.choose = choose
    return context


def load(chain: Path, key: Path | None, *, is_weak: bool) -> ssl.SSLContext:
    """Return a context with that certificate; a weak one takes TLS 1.0 and 1.1, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1 if is_weak else ssl.TLSVersion.TLSv1_2
    context.set_ciphers(WEAK_CIPHERS if is_weak else SOUND_CIPHERS)
    context.set_ecdh_curve("prime256v1")
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(chain, key)
    return context
