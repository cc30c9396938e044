"""Load on the platform, and what it did to it."""
