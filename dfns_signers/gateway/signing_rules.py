"""The rules in the signing path: what the door has let through is judged there again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.gateway.callers import Callers
from dfns_signers.hooks import SigningRequest
from dfns_signers.policy.policy import Decision, Policy


class EveryPolicy(Policy):
    """Several policies, which must all allow a call; the rule of the last one is named.

    Args:
        policies: at least one; the last is that of the caller.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        super().__init__((), title=policies[-1].title, default_deny=True)
        self._policies = policies

    def judge(self, call: AnnouncedCall) -> Decision:
        """What the first policy says that refuses; else what the last one does."""
        decisions = [policy.judge(call) for policy in self._policies]
        return next((one for one in decisions if one.rule is None), decisions[-1])

    def require(self, call: AnnouncedCall) -> str:
        """The name of the rule of the last policy; PolicyRefusedError if one of them refuses."""
        return [policy.require(call) for policy in self._policies][-1]

    def admit(self, call: AnnouncedCall) -> str:
        """``require``, and the call is counted by all but the last, where the door counted it."""
        rule = self.require(call)  # nothing is counted of a call that another policy refuses
        for policy in self._policies[:-1]:
            policy.admit(call)
        return rule


def rules_by_caller(
    of_profile: Policy | None, callers: Callable[[], Callers]
) -> Callable[[SigningRequest], Policy]:
    """The policy of each signature: that of the profile, and that of the caller.

    Args:
        of_profile: None where it has no rules.
        callers: the callers as they are at the moment; one that was removed gets no signature.
    """

    def policy_of(request: SigningRequest) -> Policy:
        name = request.call.caller if request.call else None
        caller = callers().by_name.get(name) if name else None
        if caller is None:
            raise PolicyRefusedError(
                f"the gateway signs for its callers alone, and there is no caller {name!r}",
                check="caller",
            )
        return EveryPolicy([*([of_profile] if of_profile else []), caller.policy])

    return policy_of
