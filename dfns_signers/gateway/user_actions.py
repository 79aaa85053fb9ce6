"""The gateway's own user actions, for official SDKs that do the exchange themselves."""

from __future__ import annotations

from dfns_signers.gateway.callers import Caller
from dfns_signers.gateway.messages import Answer, Incoming, Refusal
from dfns_signers.gateway.single_use import SingleUse


class UserActions:
    """Challenges and user action tokens of the gateway, sealed, bound to caller and call.

    Args:
        seal_keys: bytes; the first seals, all open.
        used: remembers what has been used, for all replicas.
    """

    def __init__(self, seal_keys: list[bytes], used: SingleUse) -> None:
        self._seal_keys = seal_keys
        self._used = used

    async def announce(self, incoming: Incoming, caller: Caller) -> Answer:
        """Answer ``POST /auth/action/init`` with a challenge, if the rules allow the call.

        Raises:
            Refusal: 400 or 403.
        """
        raise Refusal(501, "not-built", f"{caller.name}: {incoming.path}")

    async def complete(self, incoming: Incoming, caller: Caller) -> Answer:
        """Answer ``POST /auth/action``: verify the local signature, and give a user action token.

        Raises:
            Refusal: 400, 401 or 403.
        """
        raise Refusal(501, "not-built", f"{caller.name}: {incoming.path}")

    async def redeem(self, incoming: Incoming, caller: Caller) -> None:
        """Use the token in ``X-DFNS-USERACTION``, which must be for this very call.

        Raises:
            Refusal: 403, it is missing, of another caller or call, used, or too old.
        """
        raise Refusal(501, "not-built", f"{caller.name}: {incoming.path}")
