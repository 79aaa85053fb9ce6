"""How many calls a caller, and requests the organisation, may have.

Half of the requests of the organisation is for the first who come. The other half is divided among
the callers: what a caller has left there, no other can use up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, TypeVar

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import NoPermitError, PolicyRefusedError
from dfns_signers.gateway.callers.callers import Caller
from dfns_signers.gateway.requests.failures import refusal_of, store_failure
from dfns_signers.gateway.requests.grammar import PIECE
from dfns_signers.gateway.requests.messages import Refusal
from dfns_signers.rate_limits.counters import Counters, InMemory, counter_name
from dfns_signers.rate_limits.rate_limit import SIGNED_CALL
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.user_action.endpoints import needs_user_action
from dfns_signers.worker_threads import WorkerThreads

REQUESTS: Final = Rate(3000, 60)
"""Requests of each caller to one process, refused ones and announcements included.

Three times what Dfns takes of an organisation.
"""

T = TypeVar("T")

_Ask: TypeAlias = Callable[[str, Rate, int], float]

_THREADS: Final = 8  # each may wait for an answer of the store


class Limits:
    """Counts requests and calls of callers, and requests to Dfns of all of them together.

    Args:
        organisation_rate: requests to Dfns; 3 or more, for a signed call takes three.
        counters: of all replicas.
        organisation: names what shares the rate.
    """

    def __init__(self, organisation_rate: Rate, counters: Counters, *, organisation: str) -> None:
        self._rate = organisation_rate
        self._counters = counters
        self._organisation = organisation
        self._requests = InMemory()
        self._threads = WorkerThreads(_THREADS)

    def note_request(self, caller: Caller, size: int) -> None:
        """Count a request, whatever becomes of it.

        Args:
            caller: who sent it.
            size: bytes of a body, each ``PIECE`` of which is counted as a request.

        Raises:
            Refusal: 429, there are too many.
        """
        if pause := self._requests.take(caller.name, REQUESTS, max(1, size // PIECE)):
            raise _exceeded("request-rate", f"the caller {caller.name!r} sends too much", pause)

    async def admit(self, caller: Caller, call: AnnouncedCall, callers: int) -> str:
        """Count a call that is about to be sent on, by all limits or by none.

        It counts by the rate of the rule that allows it, by the rate of the caller, and as one
        request of the organisation, or three if it is signed. What one replica takes in the moment
        in which another one asks may have a call counted by some limits and refused by the next.

        Args:
            caller: whose call it is.
            call: what is sent.
            callers: how many share the requests of the organisation.

        Returns:
            The name of its rule that allows the call and had room, empty where none is needed.

        Raises:
            Refusal: 403, no rule allows it; 429 with the seconds to wait; 503, the store fails.
        """
        return await self._counted(self._admit, caller, call, callers)

    async def admit_again(self, caller: Caller, call: AnnouncedCall, callers: int) -> None:
        """Count a further attempt of a call, which is as many requests of the organisation again.

        Arguments and errors are those of ``admit``.
        """
        await self._counted(self._admit_requests, caller, call, callers)

    async def _counted(
        self,
        count: Callable[[Caller, AnnouncedCall, int], T],
        caller: Caller,
        call: AnnouncedCall,
        callers: int,
    ) -> T:
        try:
            if self._counters.blocks:
                return await self._threads.run(count, caller, call, callers)
            return count(caller, call, callers)
        except PolicyRefusedError as error:
            raise refusal_of(error) from error
        except NoPermitError as error:
            raise store_failure(error) from error

    def _admit(self, caller: Caller, call: AnnouncedCall, callers: int) -> str:
        # Whether there is room is asked first, for nothing that was counted is given back.
        self._ask_for_caller(self._counters.pause, caller)
        self._ask_for_organisation(self._counters.pause, caller, call, callers)
        rule = caller.policy.admit(call)
        self._ask_for_caller(self._counters.take, caller)
        self._admit_requests(caller, call, callers)
        return rule

    def _admit_requests(self, caller: Caller, call: AnnouncedCall, callers: int) -> None:
        self._ask_for_organisation(self._counters.take, caller, call, callers)

    def _ask_for_caller(self, ask: _Ask, caller: Caller) -> None:
        if caller.rate is None:
            return
        name = counter_name(self._organisation, "caller", caller.name)
        if pause := ask(name, Rate.parse(caller.rate), 1):
            message = f"the caller {caller.name!r} has used up its rate of {caller.rate}"
            raise _exceeded("caller-rate", message, pause)

    def _ask_for_organisation(
        self, ask: _Ask, caller: Caller, call: AnnouncedCall, callers: int
    ) -> None:
        requests = SIGNED_CALL if needs_user_action(call.method, call.path) else 1
        pauses = []
        for name, rate in self._organisation_counters(caller, callers):
            pause = ask(name, rate, requests)
            if not pause:
                return
            pauses.append(pause)
        message = "the callers have used up 'organisation_rate', the requests to Dfns"
        raise _exceeded("organisation-rate", message, min(pauses))

    def _organisation_counters(self, caller: Caller, callers: int) -> Iterator[tuple[str, Rate]]:
        """The share of a caller, and what is for all."""
        number, seconds = self._rate
        share = number // (2 * callers) if callers > 1 else 0
        if share >= SIGNED_CALL:
            name = counter_name(self._organisation, "share", caller.name)
            yield name, Rate(share, seconds)
            number -= share * callers
        yield counter_name(self._organisation, "common"), Rate(number, seconds)


def _exceeded(check: str, message: str, pause: float) -> Refusal:
    return Refusal(429, check, f"{message}: wait, as 'Retry-After' says", retry_after=pause)
