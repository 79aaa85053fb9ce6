"""``/auth/tokens``: a token for another organisation, of which the emulator has one."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.requests.fields import members, string
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.state import Record


def exchange(call: Call) -> Record:
    """The token that the call was made with: it is good for the one organisation there is."""
    return {"token": call.token.value}


ROUTES: Final = (Route("POST", "/auth/tokens", exchange, members({"target": string()})),)
