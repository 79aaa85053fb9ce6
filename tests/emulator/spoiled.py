"""Requests that are refused, built of a correct one and the thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact
from tests.emulator.conftest import Clock
from tests.emulator.flows import Change, Flow, Json, attest, put

WALLET = compact({"network": "Base"})


@dataclass
class World:
    """An emulator, its first user, another user, and the time."""

    emulator: Emulator
    caller: Caller
    stranger: Caller
    clock: Clock


Request: TypeAlias = Callable[[World], httpx.Response]


def get(target: str) -> Request:
    return lambda world: world.caller.get(target)


def get_with(*authorization: str) -> Request:
    headers = [("Authorization", value) for value in authorization]
    return lambda world: world.caller.http.get("/wallets", headers=headers)


def post(body: bytes, content_type: str = "application/json") -> Request:
    return lambda world: world.caller.send(
        "POST", "/wallets", body, headers={"Content-Type": content_type}
    )


def call(path: str, body: Json) -> Request:
    return lambda world: world.caller.call("POST", path, body)


def init(change: Change) -> Request:
    def request(world: World) -> httpx.Response:
        body = {
            "userActionPayload": "{}",
            "userActionHttpMethod": "POST",
            "userActionHttpPath": "/wallets",
            "userActionServerKind": "Api",
        }
        change(body)
        return world.caller.send("POST", "/auth/action/init", compact(body))

    return request


def attempt(flow: Flow, change: Change) -> Request:
    return lambda world: flow.attempt(world.caller, change)


def client_data(flow: Flow, write: Callable[[Json], bytes]) -> Request:
    return lambda world: flow.attempt_with(world.caller, write)


def attestation(**members: Any) -> Request:
    return lambda world: attest(world.caller, **members)


def after(seconds: float, flow: Flow) -> Request:
    def request(world: World) -> httpx.Response:
        body = flow.correct(world.caller, flow.begin(world.caller))
        world.clock.now += seconds
        return flow.send(world.caller, body)

    return request


def twice(flow: Flow) -> Request:
    def request(world: World) -> httpx.Response:
        body = flow.correct(world.caller, flow.begin(world.caller))
        answered(flow.send(world.caller, body))
        return flow.send(world.caller, body)

    return request


def foreign(flow: Flow) -> Request:
    def request(world: World) -> httpx.Response:
        return flow.send(world.caller, flow.correct(world.caller, flow.begin(world.stranger)))

    return request


def challenges(flow: Flow) -> list[tuple[str, Request]]:
    return [
        ("challenge.unknown", attempt(flow, put("challengeIdentifier", "e30.e30.e30"))),
        ("challenge.expired", after(300, flow)),
        ("challenge.used", twice(flow)),
        ("challenge.foreign", foreign(flow)),
    ]


def create(world: World, action: str | None) -> httpx.Response:
    return world.caller.send("POST", "/wallets", WALLET, user_action=action)


def announced(
    method: str = "POST", path: str = "/wallets", payload: bytes = WALLET, *, late: float = 0
) -> Request:
    """A wallet is created with a user action for this call."""

    def request(world: World) -> httpx.Response:
        action = world.caller.user_action(method, path, payload.decode())
        world.clock.now += late
        return create(world, action)

    return request
