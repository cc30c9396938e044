"""The fixtures of checks of odd input."""

from __future__ import annotations
