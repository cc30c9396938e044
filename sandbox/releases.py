"""The releases of the platform that the sandbox can run."""

from dataclasses import dataclass

from sandbox.errors import SandboxError


@dataclass(slots=True, frozen=True)
class Release:
    """One release: what it calls itself and which fields of a policy it doesn't know yet."""

    version: str
    revision: str
    hidden_fields: frozenset[str] = frozenset()


RELEASES = (
    Release("1.4.2", "9f1c2ab7d04e", hidden_fields=frozenset({"summary"})),
    Release("1.5.0", "c47e0d51b8f3"),
)
DEFAULT_RELEASE = RELEASES[-1]


def find_release(version: str) -> Release:
    """Return the release of that version, or raise an error that names the known ones."""
    for release in RELEASES:
        if release.version == version:
            return release
    known = ", ".join(release.version for release in RELEASES)
    raise SandboxError(f"There is no release {version!r}. Known releases: {known}.")


def other_release(release: Release) -> Release:
    """Return the release that a replica serves which the deployment has missed."""
    return next(other for other in reversed(RELEASES) if other != release)
