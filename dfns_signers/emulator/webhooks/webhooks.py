"""Webhooks: events are delivered one after the other, in a thread that begins with the first."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dfns_signers.emulator.requests.messages import Refusal, not_found
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.webhooks.deliveries import Attempt, Delivery

if TYPE_CHECKING:
    from dfns_signers.emulator.state import Collection, Record

MAXIMUM_ATTEMPTS: Final = 5
KEPT_DELIVERIES: Final = 1_000
UNFINISHED_DELIVERIES: Final = 1_000
_STOP_SECONDS: Final = 5.0


class Webhooks:
    """What was delivered to webhooks, and what is to be delivered; `Emulator.webhooks`.

    A failed delivery is repeated by `retry` alone, so that a test says when.
    """

    def __init__(
        self, clock: Callable[[], float], registered: Collection, events: Collection
    ) -> None:
        self._clock = clock
        self._registered = registered
        self._events = events
        self._secrets: dict[str, str] = {}
        self._changed = threading.Condition()
        self._unfinished: deque[Attempt] = deque()
        self._deliveries: deque[Delivery] = deque()
        self._thread: threading.Thread | None = None
        self._stopped = False

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The last 1,000 deliveries that were attempted, newest last."""
        with self._changed:
            return tuple(self._deliveries)

    def wait(self, seconds: float = 10.0) -> tuple[Delivery, ...]:
        """The deliveries, once all that happened so far was attempted.

        Raises:
            TimeoutError: it takes longer than so many seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._unfinished, seconds):
                raise TimeoutError(f"{len(self._unfinished)} deliveries to webhooks are unfinished")
            return tuple(self._deliveries)

    def retry(self) -> int:
        """Deliver again what failed last, five times at most; returns how many deliveries.

        Each has a new event id, and ``retryOf`` names the first one.
        """
        with self._changed:
            last = {delivery.attempt.first_id: delivery for delivery in self._deliveries}
            pending = {attempt.first_id for attempt in self._unfinished}
            failed = [
                (webhook, delivery.attempt)
                for delivery in last.values()
                if delivery.error
                and delivery.attempt.first_id not in pending
                and delivery.attempt.number < MAXIMUM_ATTEMPTS
                and (webhook := self._enabled(delivery.attempt.webhook_id))
            ]
            for webhook, attempt in failed:
                self._enqueue(
                    replace(
                        attempt,
                        url=webhook["url"],
                        event_id=new_id("whe"),
                        number=attempt.number + 1,
                        retry_of=attempt.first_id,
                    )
                )
            return len(failed)

    def stop(self) -> None:
        """Make no further delivery, and return when the one that is being made has ended."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def register(self, webhook: Record, secret: str) -> None:
        """Deliver to a new webhook from now on."""
        self._secrets[webhook["id"]] = secret
        self._registered.add(webhook)

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Have an event delivered to every webhook that is enabled and wants it."""
        for webhook in self._registered.all():
            if webhook["status"] == "Enabled" and {"*", kind} & set(webhook["events"]):
                with self._changed:
                    self._enqueue(self._attempt(webhook, kind, data))

    def ping(self, webhook: Record) -> Callable[[], Delivery]:
        """What delivers an event of the kind ``ping``, which no list shows, when it is called."""
        attempt, timestamp = self._attempt(webhook, "ping", {}), int(self._clock())

        async def deliver() -> Delivery:
            from dfns_signers.emulator.webhooks.sending import new_client, send  # noqa: PLC0415

            async with new_client() as client:
                return await send(client, attempt, timestamp)

        return lambda: asyncio.run(deliver())

    def events_page(self, webhook_id: str, query: Mapping[str, str]) -> Record:
        """A page of the events of a webhook whose delivery was attempted."""
        failed = {"true": True, "false": False}.get(query.get("deliveryFailed", ""))
        with self._changed:
            own = self._events_of(webhook_id)
            return self._events.page(
                query,
                lambda event: (
                    event["id"] in own
                    and query.get("kind") in {None, event["kind"]}
                    and failed in {None, "error" in event}
                ),
            )

    def event(self, webhook_id: str, event_id: str) -> Record:
        """One of these events; refused with 404 if there is none."""
        with self._changed:
            if event_id not in self._events_of(webhook_id):
                raise not_found("WebhookEvent", event_id)
            return self._events.get(event_id)

    def _enabled(self, webhook_id: str) -> Record | None:
        try:
            webhook = self._registered.get(webhook_id, status="Enabled")
        except Refusal:
            return None
        return webhook

    def _events_of(self, webhook_id: str) -> set[str]:
        attempts = [delivery.attempt for delivery in self._deliveries]
        return {attempt.event_id for attempt in attempts if attempt.webhook_id == webhook_id}

    def _attempt(self, webhook: Record, kind: str, data: Mapping[str, Any]) -> Attempt:
        return Attempt(
            webhook["id"],
            webhook["url"],
            self._secrets[webhook["id"]],
            new_id("whe"),
            kind,
            iso_date(self._clock()),
            json.dumps(data),
        )

    def _enqueue(self, attempt: Attempt) -> None:
        if self._stopped:
            return
        if len(self._unfinished) >= UNFINISHED_DELIVERIES:
            error = f"{UNFINISHED_DELIVERIES:,} deliveries are waiting already"
            self._keep(Delivery(attempt, int(self._clock()), error=error))
            return
        self._unfinished.append(attempt)
        self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._deliver()),
                name="dfns-emulator-webhooks",
                daemon=True,
            )
            self._thread.start()

    async def _deliver(self) -> None:
        from dfns_signers.emulator.webhooks.sending import new_client, send  # noqa: PLC0415

        # Nothing else runs in this loop: it may wait for the condition.
        async with new_client() as client:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._unfinished or self._stopped)
                    if self._stopped:
                        self._unfinished.clear()
                        return
                    attempt = self._unfinished[0]
                delivery = await send(client, attempt, int(self._clock()))
                with self._changed:
                    self._keep(delivery)
                    self._unfinished.popleft()
                    self._changed.notify_all()

    def _keep(self, delivery: Delivery) -> None:
        self._deliveries.append(delivery)
        self._events.add(delivery.event)
        if len(self._deliveries) > KEPT_DELIVERIES:
            self._events.remove(self._deliveries.popleft().attempt.event_id)
