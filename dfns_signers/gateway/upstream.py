"""Towards Dfns: requests are sent on byte for byte, signed where the API asks for it."""

from __future__ import annotations

import httpx

from dfns_signers.gateway.messages import Answer, Incoming
from dfns_signers.user_action.httpx_auth import (
    CALL_ID_EXTENSION,
    CALLER_EXTENSION,
    UserActionAuth,
)

_SENT_ON = ("accept", "content-type", "user-agent", "x-dfns-sdk-version")
_ANSWERED = ("content-type", "retry-after", "x-request-id")


class Upstream:
    """The API that the gateway stands before.

    Args:
        auth: with the token, the signer and the base URL of the profile.
        timeout: seconds for each request.
    """

    def __init__(self, auth: UserActionAuth, timeout: float) -> None:
        self._auth = auth
        self._http = httpx.AsyncClient(auth=auth, timeout=timeout, trust_env=False)

    async def send(self, incoming: Incoming, *, caller: str, call_id: str) -> Answer:
        """Announce, sign and exchange where the call needs it, and send it on.

        Raises:
            Refusal: 502, 503 or 504, where there is no answer that may be passed on.
        """
        request = self._http.build_request(
            incoming.method,
            self._auth.base_url.text + incoming.target,
            content=incoming.body or None,
            headers={name: incoming.headers[name] for name in _SENT_ON if name in incoming.headers},
            extensions={
                **self._http.build_request("GET", self._auth.base_url.text).extensions,
                CALLER_EXTENSION: caller,
                CALL_ID_EXTENSION: call_id,
            },
        )
        response = await self._http.send(request)
        headers = {name: response.headers[name] for name in _ANSWERED if name in response.headers}
        return Answer(response.status_code, headers, response.content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
