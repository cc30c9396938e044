"""Where people report what they found insecure (RFC 9116)."""

from datetime import UTC, datetime, timedelta

CONTACT = "mailto:security@openpolicy.example"
GOOD_FOR = timedelta(days=180)  # the RFC asks for less than a year


def security_txt() -> str:
    """Return the text; it is good for some months from now."""
    expires = (datetime.now(UTC) + GOOD_FOR).isoformat(timespec="seconds")
    return f"Contact: {CONTACT}\nExpires: {expires}\nPreferred-Languages: en\n"
