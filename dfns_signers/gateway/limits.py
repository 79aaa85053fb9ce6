"""How many calls a caller, and requests the organisation, may have."""

from __future__ import annotations

from dfns_signers.gateway.callers import Caller
from dfns_signers.gateway.messages import Incoming


class Limits:
    """Counts calls of callers, and requests to Dfns of all of them together.

    Args:
        organisation_rate: such as ``900/minute``.
    """

    def __init__(self, organisation_rate: str) -> None:
        self._organisation_rate = organisation_rate

    async def admit(self, caller: Caller, incoming: Incoming) -> None:
        """Count a call that is about to be sent on; a signed one is three requests.

        Raises:
            Refusal: 429 with the seconds to wait, or 503 where the store fails.
        """
