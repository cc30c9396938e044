"""The fixtures of checks of TLS and the way to it."""

from __future__ import annotations
