"""What becomes of a request: who asks, whether the rules allow it, and what answers."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Final

from dfns_signers.announced_call import AnnouncedCall, names_in_query
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.gateway.callers.callers import Caller, Callers
from dfns_signers.gateway.callers.in_flight import InFlight
from dfns_signers.gateway.callers.limits import Limits
from dfns_signers.gateway.requests.failures import advice, refusal_of
from dfns_signers.gateway.requests.messages import Answer, Incoming, Refusal
from dfns_signers.gateway.requests.observing import Exchange, Observer, Observers
from dfns_signers.gateway.upstream import Upstream
from dfns_signers.gateway.user_actions.user_actions import UserActions
from dfns_signers.operations import match_operation
from dfns_signers.user_action.endpoints import needs_user_action
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, INIT_PATH

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Service:
    """The gateway without its servers; ``callers`` is replaced as a whole by a reload."""

    callers: Callers
    limits: Limits
    user_actions: UserActions
    upstream: Upstream
    observer: Observer = field(default_factory=Observers)
    in_flight: InFlight = field(default_factory=InFlight)

    def admit(self, exchange: Exchange, incoming: Incoming) -> None:
        """Count a request of a caller, whatever becomes of it, before its body is parsed.

        Raises:
            Refusal: 401, the caller is not known; 429, it sends too much.
        """
        operation = match_operation(incoming.method, incoming.path)
        exchange.method, exchange.path = incoming.method, incoming.path
        exchange.operation = str(operation) if operation else None
        exchange.query_names = names_in_query(incoming.query)
        self.limits.note_request(self._identify(incoming, exchange), len(incoming.body))

    async def answer(self, exchange: Exchange, incoming: Incoming) -> Answer:
        """Answer a request that was admitted, even when cancelled; never raises ``Refusal``."""
        exchange.body_sha256 = sha256(incoming.body).hexdigest() if incoming.body else ""
        began = time.monotonic()
        self.observer.began(exchange)
        try:
            answer = await self._answer(incoming, exchange)
            exchange.status = answer.status
            return answer
        except Refusal as refusal:
            return _noted(refusal, exchange)
        except asyncio.CancelledError:
            return _noted(cut_off(exchange), exchange)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets an answer
            return _noted(_internal(error, exchange), exchange)
        finally:
            exchange.seconds = time.monotonic() - began
            self.observer.finished(exchange)

    def refuse(self, exchange: Exchange, refusal: Refusal) -> Answer:
        """Answer a request that was not admitted, or has not the form that the gateway takes."""
        answer = _noted(refusal, exchange)
        self.observer.finished(exchange)
        return answer

    async def _answer(self, incoming: Incoming, exchange: Exchange) -> Answer:
        caller = self._identify(incoming, exchange)  # anew: it may have been removed
        with self.in_flight.call(caller.name):
            if incoming.method == "POST" and incoming.path == INIT_PATH:
                return await self.user_actions.announce(incoming, caller, exchange)
            if incoming.method == "POST" and incoming.path == COMPLETE_PATH:
                return await self.user_actions.complete(incoming, caller)
            return await self._forward(incoming, caller, exchange)

    def _identify(self, incoming: Incoming, exchange: Exchange) -> Caller:
        identification = self.callers.identify(incoming)
        exchange.caller, exchange.identified_by = identification.caller.name, identification.by
        return identification.caller

    async def _forward(self, incoming: Incoming, caller: Caller, exchange: Exchange) -> Answer:
        call = AnnouncedCall(
            incoming.method,
            incoming.path,
            incoming.body.decode("utf-8"),
            incoming.query,
            caller.name,
            exchange.id,
        )
        try:
            exchange.rule = caller.require(call) or None
        except PolicyRefusedError as error:
            raise refusal_of(error) from error
        if needs_user_action(incoming.method, incoming.path):
            await self.user_actions.redeem(incoming, caller)
        callers = len(self.callers.by_name)
        exchange.rule = await self.limits.admit(caller, call, callers) or None
        again = partial(self.limits.admit_again, caller, call, callers)
        return await self.upstream.send(incoming, exchange, again)


def _internal(error: Exception, exchange: Exchange) -> Refusal:
    """The refusal for an error of the gateway itself, whose text may repeat what was sent."""
    *_, frame = traceback.extract_tb(error.__traceback__)
    detail = f"{type(error).__name__} in {frame.name}, line {frame.lineno} of {frame.filename}"
    _log.error("the call %s failed with %s: report it", exchange.id, detail)
    return Refusal(
        500,
        "internal",
        "the gateway failed",
        may_have_taken_effect=_is_uncertain(exchange),
        detail=detail,
    )


def cut_off(exchange: Exchange) -> Refusal:
    """The refusal for a request that was under way for longer than the end of the gateway takes."""
    uncertain = _is_uncertain(exchange)
    return Refusal(
        503,
        "ending",
        f"the gateway ended before the call did; {advice(uncertain=uncertain)}",
        may_have_taken_effect=uncertain,
    )


def _is_uncertain(exchange: Exchange) -> bool:
    """Whether a call of which no answer is known may have had an effect."""
    return exchange.upstream_seconds is not None and exchange.method != "GET"


def _noted(refusal: Refusal, exchange: Exchange) -> Answer:
    """The answer of a refusal, of which the exchange takes what it shows."""
    exchange.check, exchange.status = refusal.check, refusal.status
    exchange.rule = refusal.rule or exchange.rule
    exchange.detail = refusal.detail or str(refusal)
    exchange.may_have_taken_effect = refusal.may_have_taken_effect
    return refusal.answer()
