"""Which content types the API takes."""

from fastapi import Depends, Request

from sandbox.api.errors import ApiError


async def demand_json(request: Request) -> None:
    """Refuse a body that doesn't say that it is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind, _, subtype = media_type.partition("/")
    is_json = kind == "application" and (subtype == "json" or subtype.endswith("+json"))
    if not is_json and await request.body():
        raise ApiError(415, "unsupported_media_type", "Send the body as application/json.")


TAKES_JSON = (Depends(demand_json),)
