"""What the API says and takes about policies."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, StringConstraints

Status = Literal["draft", "active", "archived"]
Category = Literal["security", "privacy", "operations", "people", "finance", "environment"]

# PostgreSQL's text can't hold NUL.
PRINTABLE = r"^[^\x00]*$"
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE),
]
Paragraph = Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=50_000, pattern=PRINTABLE)]


class PolicyDraft(BaseModel):
    """A policy as it is written."""

    title: Line
    summary: Paragraph = ""
    body: Prose
    category: Category
    status: Status = "draft"
    owner: Line


class PolicyEntry(BaseModel):
    """A policy as it stands in a list."""

    id: int
    title: str
    summary: str
    category: Category
    status: Status
    owner: str
    version: int
    updated_at: AwareDatetime


class Policy(PolicyEntry):
    """A whole policy."""

    body: str


class Listing(BaseModel):
    """One page of a list."""

    items: list[PolicyEntry]
    total: int
    page: int
    per_page: int


class SearchListing(Listing):
    """One page of what a search found, best first."""

    query: str
