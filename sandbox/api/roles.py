"""Roles that users gave themselves, while a flaw lets them."""

from collections.abc import Callable

from sandbox.flaws import Flaw, Flaws


class AssumedRoles:
    """What users say that they are; worth nothing, and forgotten, once the flaw is gone.

    The database keeps the true roles, so that the platform is sound again afterwards.
    """

    def __init__(self, flaws: Callable[[], Flaws]) -> None:
        self._flaws = flaws
        self._roles: dict[str, str] = {}

    def assume(self, username: str, role: str) -> None:
        """Give the user that role."""
        self._roles[username] = role

    def of(self, username: str, role: str) -> str:
        """Return the role that a user counts as whose true role is that."""
        if Flaw.MASS_ASSIGNMENT not in self._flaws():
            self._roles.clear()
        return self._roles.get(username, role)
