"""What can go wrong in a service, as one small family that every edge understands.

A service raises one of these with a sentence that a person can act on. The API turns it into
problem+json, the admin into a message, a command into a line on stderr and exit code 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong with the input. ``pointer`` is a JSON pointer such as ``/rating``."""

    pointer: str
    detail: str


class ApplicationError(Exception):
    """Base of all refusals. ``detail`` is the sentence for the person."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class InvalidInput(ApplicationError):
    code = "invalid-input"
    title = "The input is not valid"

    @classmethod
    def of(cls, pointer: str, detail: str) -> "InvalidInput":
        """The refusal of one field."""
        return cls(detail, errors=[FieldError(pointer, detail)])


class CredentialsRefused(ApplicationError):
    status = 401
    code = "credentials-refused"
    title = "The credentials were refused"


class Forbidden(ApplicationError):
    status = 403
    code = "forbidden"
    title = "This is not allowed"


class NotFound(ApplicationError):
    status = 404
    code = "not-found"
    title = "There is no such thing"


class Conflict(ApplicationError):
    status = 409
    code = "conflict"
    title = "The state does not allow this"


class TooLarge(ApplicationError):
    status = 413
    code = "too-large"
    title = "The request is too large"


class TooMany(ApplicationError):
    """``retry_after`` is in seconds."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(ApplicationError):
    status = 503
    code = "unavailable"
    title = "This cannot be done right now"
