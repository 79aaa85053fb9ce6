"""Webhooks: registered as the API has them, and delivered as their receivers verify them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.webhooks import webhooks
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import pem, private_key
from tests.emulator.webhook_receiver import Receiver, happen, receiving, webhook

KEY = private_key("ed25519")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def test_secret_is_in_no_answer_but_that_to_the_creation(caller: Caller) -> None:
    made = webhook(caller, "https://example.com/hook")

    shown = {name: value for name, value in made.items() if name != "secret"}
    assert len(made["secret"]) >= 32
    assert answered(caller.get(f"/webhooks/{made['id']}")) == shown
    assert answered(caller.get("/webhooks")) == {"items": [shown]}
    assert answered(caller.call("PUT", f"/webhooks/{made['id']}", {})) == shown


def test_webhook_is_changed_and_deleted(caller: Caller, clock: Clock) -> None:
    made = webhook(caller, "https://example.com/hook")
    clock.now += 60
    path = f"/webhooks/{made['id']}"

    changed = answered(caller.call("PUT", path, {"events": ["key.created"], "status": "Disabled"}))

    assert (changed["events"], changed["status"]) == (["key.created"], "Disabled")
    assert changed["url"] == made["url"]
    assert changed["dateUpdated"] > made["dateUpdated"] == changed["dateCreated"]
    assert answered(caller.call("DELETE", path)) == {"deleted": True}
    refused(caller.get(path), 404, "entity")


@pytest.mark.parametrize(
    "url",
    ["", "hook", "ftp://example.com", "https://", "http://[::1", "http://a b/", "http://a:x/"],
)
def test_url_that_cannot_be_called_is_refused(caller: Caller, url: str) -> None:
    for method, path in [
        ("POST", "/webhooks"),
        ("PUT", f"/webhooks/{webhook(caller, 'http://127.0.0.1:9')['id']}"),
    ]:
        response = caller.call(method, path, {"url": url, "events": ["*"]})
        assert refused(response, 400, "field.value")["details"]["field"] == "url"


def test_event_is_delivered_signed_over_the_very_bytes(
    emulator: Emulator, caller: Caller, clock: Clock, receiver: Receiver
) -> None:
    made = webhook(caller, receiver.url, "wallet.created")

    happen(emulator, wallet={"id": "wa-1", "name": "é"})
    emulator.webhooks.wait()

    (received,) = receiver.received
    assert received.is_signed_with(made["secret"])
    assert not received.is_signed_with("another secret")
    assert received.headers["content-type"] == "application/json"
    assert received.payload == {
        "id": received.payload["id"],
        "date": "2027-01-15T08:00:00.000Z",
        "kind": "wallet.created",
        "data": {"wallet": {"id": "wa-1", "name": "é"}},
        "timestampSent": int(clock.now),
        "deliveryAttempt": 1,
    }
    assert received.payload["id"].startswith("whe-")
    # JSON.stringify of a verifier that parses first gives the same text.
    assert "é".encode() in received.body
    assert b": " not in received.body


def test_event_shows_what_happened_at_its_time(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    webhook(caller, receiver.url)
    wallet = {"status": "Active"}

    happen(emulator, wallet=wallet)
    wallet["status"] = "Archived"
    emulator.webhooks.wait()

    assert receiver.received[0].payload["data"] == {"wallet": {"status": "Active"}}


@pytest.mark.parametrize(
    ("members", "delivered"),
    [
        ({"events": ["*"]}, True),
        ({"events": ["key.created", "wallet.created"]}, True),
        ({"events": ["key.created"]}, False),
        ({"events": []}, False),
        ({"events": ["*"], "status": "Disabled"}, False),
    ],
)
def test_event_goes_to_webhooks_that_are_enabled_and_want_it(
    emulator: Emulator, caller: Caller, receiver: Receiver, members: object, delivered: bool
) -> None:
    assert isinstance(members, dict)
    caller.create("/webhooks", {"url": receiver.url, **members})

    happen(emulator, "wallet.created")

    assert len(emulator.webhooks.wait()) == len(receiver.received) == delivered


def test_webhook_that_is_deleted_gets_nothing(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    made = webhook(caller, receiver.url)
    answered(caller.call("DELETE", f"/webhooks/{made['id']}"))

    happen(emulator)

    assert emulator.webhooks.wait() == ()


def test_events_are_listed_by_kind_and_by_success(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [200, 503]
    made = webhook(caller, receiver.url)
    other = webhook(caller, "http://127.0.0.1:9/none", "key.exported")
    path = f"/webhooks/{made['id']}/events"

    happen(emulator, "wallet.created", wallet={"id": "wa-1"})
    happen(emulator, "key.created", key={"id": "key-1"})
    emulator.webhooks.wait()

    good, bad = answered(caller.get(path))["items"]
    assert (good["kind"], good["status"], "error" in good) == ("wallet.created", "200", False)
    assert (bad["kind"], bad["status"], bad["error"]) == (
        "key.created", "503", "expected the status 200, found 503",
    )  # fmt: skip
    assert good["data"] == {"wallet": {"id": "wa-1"}}
    for query, expected in {
        "deliveryFailed=true": [bad],
        "deliveryFailed=false": [good],
        "kind=key.created": [bad],
        "kind=key.created&deliveryFailed=false": [],
        "kind=key.deleted": [],
    }.items():
        assert answered(caller.get(f"{path}?{query}"))["items"] == expected
    assert answered(caller.get(f"{path}/{bad['id']}")) == bad
    assert answered(caller.get(f"{path}?limit=1"))["nextPageToken"]
    assert answered(caller.get(f"/webhooks/{other['id']}/events")) == {"items": []}
    refused(caller.get(f"/webhooks/{other['id']}/events/{bad['id']}"), 404, "entity")
    refused(caller.get("/webhooks/wh-none/events"), 404, "entity")


@pytest.mark.parametrize("status", [201, 204, 302, 400, 500])
def test_answer_other_than_200_is_a_failure_and_no_redirect_is_followed(
    emulator: Emulator, caller: Caller, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    webhook(caller, receiver.url)

    happen(emulator)

    (delivery,) = emulator.webhooks.wait()
    assert (delivery.status, len(receiver.received)) == (status, 1)
    assert str(status) in delivery.error


def test_receiver_that_is_not_there_is_a_failure_that_is_told(
    emulator: Emulator, caller: Caller
) -> None:
    with receiving() as gone:
        url = gone.url
    made = webhook(caller, url)

    happen(emulator)
    emulator.webhooks.wait()

    (event,) = answered(caller.get(f"/webhooks/{made['id']}/events?deliveryFailed=true"))["items"]
    assert event["status"] == ""
    assert event["error"].startswith("ConnectError: ")


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook", "http://192.0.2.1/", "http://127.0.0.1.example.com/", "http://0/"],
)
def test_nothing_is_sent_to_another_machine(emulator: Emulator, caller: Caller, url: str) -> None:
    webhook(caller, url)

    happen(emulator)

    (delivery,) = emulator.webhooks.wait()
    assert delivery.status is None
    assert delivery.error == "the emulator delivers to 127.0.0.1, [::1] and localhost only"


def test_failed_delivery_is_repeated_on_demand_and_linked_to_the_first(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [503, 503]
    made = webhook(caller, receiver.url)
    happen(emulator, wallet={"id": "wa-1"})
    emulator.webhooks.wait()

    assert emulator.webhooks.retry() == 1
    emulator.webhooks.wait()
    assert emulator.webhooks.retry() == 1
    emulator.webhooks.wait()

    assert emulator.webhooks.retry() == 0
    first, second, third = (received.payload for received in receiver.received)
    assert len({first["id"], second["id"], third["id"]}) == 3
    assert "retryOf" not in first
    assert second["retryOf"] == third["retryOf"] == first["id"]
    assert [second["deliveryAttempt"], third["deliveryAttempt"]] == [2, 3]
    assert second["data"] == first["data"]
    assert all(received.is_signed_with(made["secret"]) for received in receiver.received)


def test_delivery_that_is_being_repeated_is_not_repeated_beside_that(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    webhook(caller, receiver.url)
    happen(emulator)
    emulator.webhooks.wait()
    receiver.may_answer.clear()

    assert [emulator.webhooks.retry(), emulator.webhooks.retry()] == [1, 0]


def test_delivery_is_attempted_five_times_at_most(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 10
    webhook(caller, receiver.url)
    happen(emulator)
    emulator.webhooks.wait()

    repeated = []
    for _ in range(6):
        repeated.append(emulator.webhooks.retry())
        emulator.webhooks.wait()

    assert repeated == [1, 1, 1, 1, 0, 0]
    assert len(receiver.received) == 5


def test_failed_delivery_to_a_webhook_that_was_disabled_is_not_repeated(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    made = webhook(caller, receiver.url)
    happen(emulator)
    emulator.webhooks.wait()

    answered(caller.call("PUT", f"/webhooks/{made['id']}", {"status": "Disabled"}))

    assert emulator.webhooks.retry() == 0


def test_ping_says_what_the_receiver_answered(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [200, 404]
    made = webhook(caller, receiver.url)
    path = f"/webhooks/{made['id']}"

    good, bad = (answered(caller.call("POST", f"{path}/ping")) for _ in range(2))

    assert good == {"status": "200"}
    assert bad == {"status": "404", "error": "expected the status 200, found 404"}
    assert receiver.received[0].is_signed_with(made["secret"])
    assert answered(caller.get(f"{path}/events")) == {"items": []}


def test_secret_is_in_no_representation(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    made = webhook(caller, receiver.url)
    happen(emulator)

    assert made["secret"] not in repr(emulator.webhooks.wait())


def test_nothing_is_delivered_once_the_emulator_has_stopped(receiver: Receiver) -> None:
    emulator = Emulator(credentials={"cr-1": pem(KEY)})
    with emulator, Caller(emulator.url, emulator.auth_token, "cr-1", KEY) as caller:
        receiver.statuses = [500]
        webhook(caller, receiver.url)
        happen(emulator)
        before = emulator.webhooks.wait()

    happen(emulator)
    emulator.webhooks.retry()

    assert emulator.webhooks.wait() == before
    assert len(receiver.received) == len(before) == 1
    assert "dfns-emulator-webhooks" not in [thread.name for thread in threading.enumerate()]


def test_waiting_for_deliveries_ends_after_its_time(
    emulator: Emulator, caller: Caller, receiver: Receiver
) -> None:
    receiver.may_answer.clear()
    webhook(caller, receiver.url)
    happen(emulator)

    with pytest.raises(TimeoutError, match="1 deliveries to webhooks are unfinished"):
        emulator.webhooks.wait(0)


def test_deliveries_that_wait_are_bounded_and_the_others_fail(
    emulator: Emulator, caller: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "UNFINISHED_DELIVERIES", 2)
    receiver.may_answer.clear()
    webhook(caller, receiver.url)

    for _ in range(6):
        happen(emulator)
    receiver.may_answer.set()

    deliveries = emulator.webhooks.wait()
    overflowing = [d for d in deliveries if d.error == "2 deliveries are waiting already"]
    assert (len(overflowing), len(deliveries)) == (4, 6)


def test_deliveries_that_are_kept_are_bounded_and_the_newest(
    emulator: Emulator, caller: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "KEPT_DELIVERIES", 2)
    made = webhook(caller, receiver.url)

    for number in range(3):
        happen(emulator, number=number)
    emulator.webhooks.wait()

    events = answered(caller.get(f"/webhooks/{made['id']}/events"))["items"]
    assert [event["data"] for event in events] == [{"number": 1}, {"number": 2}]
    assert [d.attempt.event_id for d in emulator.webhooks.deliveries] == [e["id"] for e in events]
