"""A call that waits for somebody else's signature, and survives a trip through JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import httpx

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.bounded_json import bounded_json
from dfns_signers.client.call import Call, QueryValue, check_query
from dfns_signers.errors import RequestError
from dfns_signers.user_action.paths import check_path
from dfns_signers.user_action.signing_flow import announcement, check_challenge

_JSON_TYPES: Final = {"method": str, "path": str, "payload": str, "params": dict, "challenge": dict}


@dataclass(frozen=True, slots=True)
class PendingAction:
    """An announced call with its challenge.

    Attributes:
        method: upper-case HTTP method.
        path: percent-encoded path.
        payload: the body, exactly as it was announced and will be sent.
        params: query parameters.
        challenge: the JSON object to be signed, with ``challenge`` and ``allowCredentials``; give
            it to a browser, or to ``signer.sign``.
    """

    method: str
    path: str
    payload: str = field(repr=False)
    params: Mapping[str, QueryValue]
    challenge: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(
        cls, call: AnnouncedCall, params: Mapping[str, QueryValue], answer: object
    ) -> PendingAction:
        """A call that was announced, with the answer to the announcement, which is checked."""
        return cls(call.method, call.path, call.payload, params, check_challenge(answer))

    @property
    def call(self) -> AnnouncedCall:
        """What was announced, and the query that is sent with it."""
        query = str(httpx.QueryParams(dict(self.params)))
        return AnnouncedCall(self.method, self.path, self.payload, query)

    def to_json(self) -> str:
        """As JSON text, to keep in a session or a database. It holds no token."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> PendingAction:
        """Read what ``to_json`` wrote.

        Raises:
            RequestError: it is something else.
        """
        try:
            value = bounded_json(text)
            action = cls(**value)
        except (ValueError, TypeError) as error:
            raise RequestError("not a pending action as 'to_json' writes it") from error
        if not all(isinstance(value[name], kind) for name, kind in _JSON_TYPES.items()):
            raise RequestError("a member of the pending action has another type than it had")
        if not isinstance(action.challenge.get("challengeIdentifier"), str):
            raise RequestError("the pending action has no challenge")
        check_path(action.path)
        check_query(action.params)
        announcement(action.call)
        try:
            action.payload.encode("utf-8")
        except UnicodeEncodeError as error:
            raise RequestError(
                "the payload of the pending action cannot be encoded as UTF-8"
            ) from error
        return action

    def to_call(self) -> Call[Any]:
        """The call to send once it is signed."""
        return Call(
            self.method, self.path, self.payload.encode("utf-8"), dict(self.params), signed=True
        )
