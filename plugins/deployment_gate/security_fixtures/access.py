"""The fixtures of checks of who may see and do what."""

from __future__ import annotations
