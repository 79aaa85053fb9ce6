"""Receivers of webhooks that call back, or are slow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.webhooks import sending
from dfns_signers.operations import match_operation
from tests.emulator.caller import Caller, answered
from tests.emulator.keys import pem, private_key
from tests.emulator.webhook_receiver import happen, receiving, webhook
from tests.support.answer_judge import misfit

KEY = private_key("p256")


@contextmanager
def dripping() -> Iterator[tuple[str, threading.Event]]:
    """The URL of a receiver whose answer begins and has no end, and when it has begun."""
    begun, stopped = threading.Event(), threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            begun.set()
            while not stopped.wait(0.2):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", begun
        finally:
            stopped.set()
            thread.join()


def ping_path(caller: Caller, url: str) -> str:
    return f"/webhooks/{webhook(caller, url)['id']}/ping"


def test_receiver_of_a_ping_may_call_the_emulator_before_it_answers(
    emulator: Emulator, caller: Caller
) -> None:
    with receiving() as receiver, ThreadPoolExecutor() as pool:
        receiver.may_answer.clear()
        path = ping_path(caller, receiver.url)
        action = caller.user_action("POST", path)
        ping = pool.submit(caller.send, "POST", path, user_action=action)
        while not receiver.received:
            time.sleep(0.001)

        # Another connection than that of the ping.
        listed = httpx.get(
            f"{emulator.url}/wallets",
            headers={"Authorization": f"Bearer {caller.token}"},
            trust_env=False,
        )
        assert answered(listed) == {"items": []}
        receiver.may_answer.set()

        response = ping.result()
    assert answered(response) == {"status": "200"}
    operation = match_operation("POST", path)
    assert operation
    assert not misfit(operation, response.content)


def test_ping_is_in_the_log_once_it_is_answered(emulator: Emulator, caller: Caller) -> None:
    with receiving() as receiver:
        path = ping_path(caller, receiver.url)

        answered(caller.call("POST", path))

    assert [one.raw_path for one in emulator.requests].count(path) == 1
    assert emulator.requests[-1].raw_path == path


def test_receiver_has_three_seconds() -> None:
    assert sending.TIMEOUT == 3


def test_answer_to_a_ping_that_has_no_end_is_a_failure_after_its_time(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.2)
    with dripping() as (url, _):
        result = answered(caller.call("POST", ping_path(caller, url)))

    assert result == {"status": "", "error": "no answer within 0.2 s"}


def test_emulator_stops_while_a_delivery_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.2)
    emulator = Emulator(credentials={"cr-1": pem(KEY)})
    with dripping() as (url, begun):
        with emulator, Caller(emulator.url, emulator.auth_token, "cr-1", KEY) as caller:
            webhook(caller, url)
            happen(emulator)
            assert begun.wait(10)

        (delivery,) = emulator.webhooks.deliveries

    assert delivery.error == "no answer within 0.2 s"
