"""The pages as their flaws would have them."""

import re
from collections.abc import Mapping

from sandbox.flaws import Flaw, Flaws

THIRD_PARTY = "https://cdn.example.net"
LABELLED_SEARCH = re.compile(r'<label class="field wide">(.*?)</label>', re.DOTALL)


def script(name: str) -> str:
    """Return the element that loads a script of that flaw."""
    return f'<script type="module" src="/static/flaws/{name}.js"></script>'


def stylesheet(name: str) -> str:
    """Return the element that loads a style sheet of that flaw."""
    return f'<link rel="stylesheet" href="/static/flaws/{name}.css">'


# What every page loads with that flaw, before the scripts of its own.
LOADED: Mapping[Flaw, str] = {
    Flaw.CONSOLE_ERROR: script("console-error"),
    Flaw.OVERFLOW: stylesheet("overflow"),
    Flaw.LAYOUT_SHIFT: script("layout-shift"),
    Flaw.VISUAL_CHANGE: stylesheet("visual-change"),
    Flaw.THIRD_PARTY: f'<script async src="{THIRD_PARTY}/widget.js"></script>',
    # No module: those run once the page is there, and may then come after the first click.
    Flaw.SLOW_INTERACTION: '<script src="/static/flaws/slow-interaction.js"></script>',
    Flaw.UNDEAD_SESSION: script("undead-session"),
}


def with_flaws(page: str, flaws: Flaws) -> str:
    """Return a sound page as those flaws would have it."""
    if Flaw.INACCESSIBLE_FORM in flaws:
        page = LABELLED_SEARCH.sub(r'<div class="field wide">\1</div>', page)
    loaded = "".join(f"  {element}\n" for flaw, element in LOADED.items() if flaw in flaws)
    return page.replace("  <script", f"{loaded}  <script", 1)
