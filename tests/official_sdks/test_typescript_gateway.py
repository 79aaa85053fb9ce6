"""Every method of the official SDK for TypeScript through a gateway, with ``orgId`` set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.core.keys import private_pem, stranger
from tests.emulator.caller import compact
from tests.emulator.flows import ACTION
from tests.gateway.interop.gateway_world import (
    CALLER_PEM,
    ORG_ID,
    SDK,
    Gateways,
    GatewayWorld,
    gateways,
    is_of_the_api,
    is_of_the_gateway,
)
from tests.interop.official_requests import Request, request_of
from tests.interop.official_world import find
from tests.official_sdks.typescript import (
    Method,
    Place,
    TypeScriptError,
    TypeScriptSdk,
    typescript_sdk,
)
from tests.support.answer_judge import misfit

with typescript_sdk() as running:
    METHODS = [one for one in running.methods() if not one.operation.multipart]


@pytest.fixture(scope="module")
def sdk() -> Iterator[TypeScriptSdk]:
    with typescript_sdk() as running:
        yield running


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    with gateways(tmp_path_factory.mktemp("gateways")) as started:
        yield started


@pytest.fixture
def world(started: Gateways) -> Iterator[GatewayWorld]:
    with started.world() as made:
        yield made


def those(which: Callable[[Method], bool]) -> list[Method]:
    return [one for one in METHODS if which(one)]


def called(sdk: TypeScriptSdk, world: GatewayWorld, method: Method, request: Request) -> Any:
    return sdk.call_at(Place(world.url(method.operation), ORG_ID, CALLER_PEM), method, request)


def requested(world: GatewayWorld, method: Method) -> Request:
    return replace(request_of(world.world, method.operation), who=SDK)


def create_wallet(client: str) -> Method:
    (method,) = [one for one in METHODS if str(one) == f"{client}-wallets.createWallet"]
    return method


@pytest.mark.parametrize("method", those(is_of_the_api), ids=str)
def test_method_answers_what_the_api_answered(
    world: GatewayWorld, sdk: TypeScriptSdk, method: Method
) -> None:
    answer = called(sdk, world, method, requested(world, method))

    assert answer == world.answered


@pytest.mark.parametrize("method", those(is_of_the_gateway), ids=str)
def test_step_of_a_user_action_is_answered_in_its_declared_shape(
    world: GatewayWorld, sdk: TypeScriptSdk, method: Method
) -> None:
    request = requested(world, method)
    if method.operation.path == "/auth/action":
        with world.by_hand(method.operation) as caller:
            request = replace(request, body=ACTION.correct(caller, ACTION.begin(caller)))

    answer = called(sdk, world, method, request)

    assert misfit(method.operation, compact(answer)) == ""


@pytest.mark.parametrize("client", ["direct", "delegated"])
def test_name_that_is_not_ascii_passes(
    world: GatewayWorld, sdk: TypeScriptSdk, client: str
) -> None:
    method = create_wallet(client)
    request = replace(requested(world, method), body={"network": "Bitcoin", "name": "é"})

    assert called(sdk, world, method, request)["name"] == "é"


def test_query_of_a_signed_call_passes_as_either_client_announces_it(
    world: GatewayWorld, sdk: TypeScriptSdk
) -> None:
    operation = find("DELETE /auth/service-accounts/{serviceAccountId}")
    methods = [one for one in METHODS if one.operation == operation]
    assert {one.client for one in methods} == {"direct", "delegated"}

    for method in methods:
        request = replace(requested(world, method), query={"force": True})
        called(sdk, world, method, request)

        assert world.world.emulator.requests[-1].query == "force=true"


def test_call_that_waits_for_approval_is_an_exception_of_its_own(
    world: GatewayWorld, sdk: TypeScriptSdk
) -> None:
    method = create_wallet("direct")
    request = requested(world, method)
    world.world.emulator.require_approval("POST", "/wallets")

    with pytest.raises(TypeScriptError) as caught:
        called(sdk, world, method, request)

    assert caught.value.name == "PolicyPendingError"


def test_refusal_of_the_api_has_its_message(world: GatewayWorld, sdk: TypeScriptSdk) -> None:
    method = create_wallet("direct")
    request = replace(requested(world, method), body={"network": "EtherumSepolia"})

    with pytest.raises(TypeScriptError, match="did you mean") as caught:
        called(sdk, world, method, request)

    assert caught.value.name == "DfnsError"


def test_refusal_of_the_gateway_has_its_message(world: GatewayWorld, sdk: TypeScriptSdk) -> None:
    method = create_wallet("direct")
    request = requested(world, method)
    place = Place(world.url(method.operation), ORG_ID, private_pem(stranger("ES256")).decode())

    with pytest.raises(TypeScriptError, match="not signed with the key") as caught:
        sdk.call_at(place, method, request)

    assert caught.value.name == "DfnsError"
