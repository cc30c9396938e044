"""The fixtures of checks of what is in the open."""

from __future__ import annotations
