"""Read the answer to a request: bounded in size and time, and never decompressed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dfns_signers.plugin import Sealed, bounded_json, deadlines, quoted

if TYPE_CHECKING:
    import requests

_NO_CONTENT: Final = 204
_PIECE: Final = 64 * 1024

# Bytes of an answer: 496 signatures by RSA-4096 are 0.4 MB, 1,000 versions of such a key 1 MB.
_LONGEST: Final = 2 * 1024 * 1024
_LONGEST_ERROR: Final = 64 * 1024
_MOST_ERRORS: Final = 10

# Shorter ones are found in any text.
_SHORTEST_SECRET: Final = 12


class VaultRefusalError(Exception):
    """An answer with an error status, a redirect, or one that is not a JSON object.

    Attributes:
        status: HTTP status code; hvac's own errors do not keep it.
        errors: what Vault says, fit for a message.
        retry_after: seconds to wait as Vault asks.
    """

    def __init__(
        self, status: int, errors: Sequence[str] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(": ".join(filter(None, [f"HTTP {status}", "; ".join(errors)])))
        self.status = status
        self.errors = errors
        self.retry_after = retry_after


def content_of(
    response: Sealed[requests.Response],
    sent: Sealed[Mapping[str, Any] | None],
    token: Sealed[str | None],
) -> Mapping[str, Any]:
    """The JSON object of an answer whose body was not read so far; ``{}`` for one without content.

    Args:
        response: the answer.
        sent: what was sent as JSON; None for nothing.
        token: the token that was sent, if any. What the server says is shown without it, and
            without what was sent.

    Raises:
        VaultRefusalError: the status is that of an error, or the body is not a JSON object within
            bounds.
        TimeoutError: the deadline has passed.
    """
    status = response.open().status_code
    if status == _NO_CONTENT:
        return {}
    is_success = status // 100 == 2  # noqa: PLR2004
    # Vault may answer a batch with an error status, and yet with the result of each item.
    is_batch = "batch_input" in (sent.open() or {})
    longest = _LONGEST if is_success or is_batch else _LONGEST_ERROR
    try:
        content = _object(_body(response, longest))
    except _UnusableError as error:
        raise _refusal(response.open(), [str(error)] if is_success else []) from None
    if is_success or (is_batch and _has_results(content.open().get("data"))):
        return content.open()
    raise _refusal(response.open(), _said(content.open(), _secrets(sent.open(), token.open())))


class _UnusableError(Exception):
    """Why the body of an answer cannot be used."""


def _body(response: Sealed[requests.Response], longest: int) -> Sealed[bytearray]:
    encoding = response.open().headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise _UnusableError("the answer is compressed, which was not asked for")
    body = Sealed(bytearray())
    # What has arrived, and not as much as is asked for: a slow answer is looked at in between.
    while (piece := Sealed(response.open().raw.read1(_PIECE))).open():
        deadlines.at_most(None)
        body.open().extend(piece.open())
        if len(body.open()) > longest:
            raise _UnusableError(f"the answer is longer than {longest:,} bytes")
    return body


def _object(body: Sealed[bytearray]) -> Sealed[Mapping[str, Any]]:
    content = Sealed(_parsed(body.open()))
    if not isinstance(content.open(), dict):
        raise _UnusableError("the answer is not a JSON object")
    return content


def _parsed(body: bytearray) -> Any:
    try:
        return bounded_json(body)
    except ValueError:
        return None


def _said(content: Mapping[str, Any], secrets: Sequence[str]) -> Iterator[str]:
    """What the server says of an error, fit for a message."""
    listed = content.get("errors")
    said = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    return (quoted(without(secrets, one)) for one in said[:_MOST_ERRORS])


def _secrets(sent: Mapping[str, Any] | None, token: str | None) -> list[str]:
    return [token or "", *(one for one in (sent or {}).values() if isinstance(one, str))]


def _has_results(data: Any) -> bool:
    return isinstance(data, dict) and "batch_results" in data


def _refusal(response: requests.Response, said: Iterable[str]) -> VaultRefusalError:
    asked = response.headers.get("Retry-After", "")
    # A date is not read, and zero asks for nothing.
    retry_after = float(asked) if asked.isdecimal() else 0.0
    return VaultRefusalError(response.status_code, list(said), retry_after or None)


def without(secrets: Iterable[str], text: str) -> str:
    """What a server says, without secrets that it repeats."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return text
