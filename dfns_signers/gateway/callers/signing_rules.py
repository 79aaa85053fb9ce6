"""The rules in the signing path: what the door has let through is judged there again."""

from __future__ import annotations

from collections.abc import Callable

from dfns_signers.config.guard import Judge, JudgesOf
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.gateway.callers.callers import Callers
from dfns_signers.hooks import SigningRequest


def judges_by_caller(callers: Callable[[], Callers]) -> JudgesOf:
    """What judges each signature: the rules of the caller that asked for it; nothing is counted.

    Args:
        callers: the callers as they are at the moment; one that was removed gets no signature.
    """

    def judges_of(request: SigningRequest) -> dict[str, Judge]:
        name = request.call.caller if request.call else None
        caller = callers().by_name.get(name) if name is not None else None
        if caller is None:
            whom = "no caller" if name is None else f"{name!r}, which is not a caller of it"
            raise PolicyRefusedError(
                f"the gateway signs for its callers alone, and was asked by {whom}", check="caller"
            )
        return {"rule": caller.policy.require}

    return judges_of
