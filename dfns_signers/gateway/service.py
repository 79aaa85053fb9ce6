"""What becomes of a request: who asks, whether the rules allow it, and what answers."""

from __future__ import annotations

from dataclasses import dataclass

from dfns_signers.announced_call import AnnouncedCall, new_call_id
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.gateway.callers import Caller, Callers
from dfns_signers.gateway.limits import Limits
from dfns_signers.gateway.messages import Answer, Incoming, Refusal
from dfns_signers.gateway.upstream import Upstream
from dfns_signers.gateway.user_actions import UserActions
from dfns_signers.user_action.endpoints import needs_user_action
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, INIT_PATH


@dataclass(slots=True)
class Service:
    """The gateway without its servers; ``callers`` is replaced as a whole by a reload."""

    callers: Callers
    limits: Limits
    user_actions: UserActions
    upstream: Upstream

    async def answer(self, incoming: Incoming) -> Answer:
        """Answer a request; never raises ``Refusal``."""
        try:
            caller = self.callers.identify(incoming)
            return await self._answer(incoming, caller)
        except Refusal as refusal:
            return refusal.answer()

    async def _answer(self, incoming: Incoming, caller: Caller) -> Answer:
        if incoming.method == "POST" and incoming.path == INIT_PATH:
            return await self.user_actions.announce(incoming, caller)
        if incoming.method == "POST" and incoming.path == COMPLETE_PATH:
            return await self.user_actions.complete(incoming, caller)
        return await self._forward(incoming, caller)

    async def _forward(self, incoming: Incoming, caller: Caller) -> Answer:
        call_id = new_call_id()
        call = AnnouncedCall(
            incoming.method,
            incoming.path,
            incoming.body.decode("utf-8"),
            incoming.query,
            caller.name,
            call_id,
        )
        try:
            caller.policy.require(call)
        except PolicyRefusedError as error:
            raise Refusal(403, error.check, str(error), rule=error.rule) from error
        if needs_user_action(incoming.method, incoming.path):
            await self.user_actions.redeem(incoming, caller)
        await self.limits.admit(caller, incoming)
        return await self.upstream.send(incoming, caller=caller.name, call_id=call_id)
