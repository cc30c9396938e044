"""The one shape of every error answer."""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from sandbox.flaws import Flaw, Flaws


class ApiError(Exception):
    """A request can't be served; the message is for who sent it."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


def unauthorized(code: str, message: str) -> ApiError:
    """Return the error for who didn't prove who they are."""
    return ApiError(401, code, message, {"WWW-Authenticate": "Bearer"})


def internal_error() -> ApiError:
    """Return the error that tells nothing but that it is ours."""
    return ApiError(500, "internal_error", "Something went wrong on our side.")


class ErrorDetail(BaseModel):
    """What went wrong: a word for programs and a sentence for people."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The body of every error answer."""

    error: ErrorDetail


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return what OpenAPI is to say about those error answers."""
    return {
        status: {"model": ErrorAnswer, "description": HTTPStatus(status).phrase}
        for status in statuses
    }


def describe(error: Exception) -> ApiError:
    """Return the error as the one who sent the request may see it."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RequestValidationError):
        findings = "; ".join(
            f"{'.'.join(str(part) for part in finding['loc'])}: {finding['msg']}"
            for finding in error.errors()
        )
        return ApiError(422, "invalid_request", findings)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.BAD_REQUEST:
        # FastAPI's word for a body whose bytes aren't even text.
        return ApiError(422, "invalid_request", "body: It can't be read as JSON.")
    if isinstance(error, HTTPException):
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "_")
        return ApiError(error.status_code, code, f"{phrase}.", error.headers)
    if isinstance(error, DBAPIError):
        return ApiError(503, "database_unavailable", "The database can't be reached.")
    return internal_error()


def install_error_answers(app: FastAPI, flaws: Callable[[], Flaws]) -> None:
    """Answer every error in the one shape."""

    async def answer(_: Request, error: Exception) -> Response:
        told, wrong = describe(error), flaws()
        if told.status == HTTPStatus.NOT_FOUND and Flaw.UNEVEN_ERRORS in wrong:
            return PlainTextResponse("Not Found", told.status, told.headers)
        if told.status == HTTPStatus.UNPROCESSABLE_ENTITY and Flaw.FRAGILE_INPUT in wrong:
            told = internal_error()
        content: dict[str, object] = {"code": told.code, "message": told.message}
        if Flaw.LEAKY_ERRORS in wrong:
            content["message"] = f"{told.message} {error}"
            content["trace"] = "".join(traceback.format_exception(error))
        return JSONResponse({"error": content}, told.status, headers=told.headers)

    handler: Callable[[Request, Exception], Awaitable[Response]] = answer
    for kind in (
        ApiError,
        RequestValidationError,
        HTTPException,
        DBAPIError,
        Exception,
    ):
        app.add_exception_handler(kind, handler)
