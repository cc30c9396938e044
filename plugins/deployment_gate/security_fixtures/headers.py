"""The fixtures of checks of headers and cookies."""

from __future__ import annotations
