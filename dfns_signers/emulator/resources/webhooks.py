"""``/webhooks``: addresses that events are delivered to."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from dfns_signers.emulator.requests.fields import where_present, wrong
from dfns_signers.emulator.requests.messages import Answer, Refusal, json_answer
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id, to_base64url
from dfns_signers.emulator.state import PAGING, Collection, Record

MAXIMUM_WEBHOOKS: Final = 5
"""Default of the service (Dfns docs)."""


def create(call: Call) -> Record:
    """A new webhook; no other answer has its secret."""
    registered = _registered(call)
    if len(registered.all()) >= MAXIMUM_WEBHOOKS:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "webhook.count",
            f"There are {MAXIMUM_WEBHOOKS} webhooks, as many as there may be: delete one first.",
        )
    now = iso_date(call.state.clock())
    webhook = {
        "id": new_id("wh"),
        "url": call.body["url"],
        "events": call.body["events"],
        "status": call.body.get("status", "Enabled"),
        "dateCreated": now,
        "dateUpdated": now,
    }
    secret = to_base64url(secrets.token_bytes(32))
    call.state.webhooks.register(webhook, secret)
    return {**webhook, "secret": secret}


def list_page(call: Call) -> Record:
    """A page of the webhooks."""
    return _registered(call).page(call.query)


def get(call: Call) -> Record:
    """One webhook."""
    return _registered(call).get(call.parameters["webhookId"])


def update(call: Call) -> Record:
    """Change url, events or status of a webhook."""
    webhook = get(call)
    webhook.update({**call.body, "dateUpdated": iso_date(call.state.clock())})
    return webhook


def delete(call: Call) -> Record:
    """Forget a webhook."""
    _registered(call).remove(call.parameters["webhookId"])
    return {"deleted": True}


def ping(call: Call) -> Answer:
    """Deliver a test event and say what became of it.

    The receiver may call the emulator before it answers.
    """
    send = call.state.webhooks.ping(get(call))
    return Answer(b"", later=lambda: json_answer(send().result))


def list_events(call: Call) -> Record:
    """A page of the events of a webhook whose delivery was attempted."""
    return call.state.webhooks.events_page(get(call)["id"], call.query)


def get_event(call: Call) -> Record:
    """One of these events."""
    return call.state.webhooks.event(get(call)["id"], call.parameters["webhookEventId"])


def _registered(call: Call) -> Collection:
    return call.state.collection("Webhook")


def _address(where: str, value: Any) -> None:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not value.isprintable() or " " in value:
        raise wrong(where, "an absolute URL of the scheme https or http", value)


_FIELDS: Final = where_present({"url": _address})
_ONE: Final = "/webhooks/{webhookId}"
ROUTES: Final = (
    Route("POST", "/webhooks", create, _FIELDS, entity="Webhook"),
    Route("GET", "/webhooks", list_page, query=PAGING),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _FIELDS, entity="Webhook"),
    Route("DELETE", _ONE, delete, entity="Webhook"),
    Route("POST", f"{_ONE}/ping", ping, entity="Webhook"),
    Route("GET", f"{_ONE}/events", list_events, query=PAGING),
    Route("GET", f"{_ONE}/events/{{webhookEventId}}", get_event),
)
