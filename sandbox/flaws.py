"""What can be wrong with the platform."""

from enum import Enum, auto


class Flaw(Enum):
    """One thing that is wrong; the sentence of the fault that brings it says what.

    A sound platform has no flaw.
    """

    DATABASE_DOWN = auto()
    CACHE_DOWN = auto()
    LYING_HEALTH = auto()
    STALE_RELEASE = auto()
    AUTH_BYPASS = auto()
    LEAKY_ERRORS = auto()
    MISSING_HEADERS = auto()
    NO_REVOCATION = auto()
    ACCEPTS_EXPIRED = auto()
    REUSABLE_REFRESH = auto()
    WRONG_TYPE = auto()
    UNDOCUMENTED_FIELD = auto()
    NAIVE_TIMESTAMPS = auto()
    WRONG_TOTAL = auto()
    UNBOUNDED_PAGES = auto()
    OVERLAPPING_PAGES = auto()
    IGNORED_FILTER = auto()
    LOST_UPDATES = auto()
    STICKY_DELETE = auto()
    UNEVEN_ERRORS = auto()
    FRAGILE_INPUT = auto()
    NO_HEAD = auto()
    WRONG_ENVIRONMENT = auto()
    DISAGREEING_VERSION = auto()
    LATIN_SEARCH = auto()
    FRAGILE_SEARCH = auto()
    GREEDY_SEARCH = auto()
    UNSEARCHABLE_WRITES = auto()
    LOGIN_REFUSED = auto()
    CONSOLE_ERROR = auto()
    OVERFLOW = auto()
    INACCESSIBLE_FORM = auto()
    LAYOUT_SHIFT = auto()
    VISUAL_CHANGE = auto()
    THIRD_PARTY = auto()
    SLOW_INTERACTION = auto()
    UNDEAD_SESSION = auto()
    ANY_TOKEN_ADMIN = auto()
    ANY_OBJECT = auto()
    MASS_ASSIGNMENT = auto()
    ALG_NONE = auto()
    NO_RATE_LIMIT = auto()
    USER_ENUMERATION = auto()
    DEFAULT_ACCOUNT = auto()
    SQL_IN_ERRORS = auto()
    ECHOED_PASSWORD = auto()
    WILDCARD_CORS = auto()
    SPA_FALLBACK = auto()
    WEAK_TLS = auto()
    EXPIRING_CERTIFICATE = auto()


Flaws = frozenset[Flaw]
