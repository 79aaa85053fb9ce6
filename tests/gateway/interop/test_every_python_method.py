"""Every method of the official SDK for Python, direct and delegated, through a gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from json import JSONDecodeError
from typing import Any

import pytest
from dfns_sdk.types import DfnsError

from tests.emulator.caller import compact
from tests.emulator.flows import ACTION
from tests.gateway.interop.gateway_world import (
    CALLER_PEM,
    SDK,
    GatewayWorld,
    exchanges_the_token,
    has_another_token,
    has_csv,
    is_of_the_api,
    is_of_the_gateway,
)
from tests.interop.official_methods import Method, PythonSdk, official_methods
from tests.interop.official_requests import Request, request_of
from tests.interop.official_world import find
from tests.support.answer_judge import misfit

# Of the delegated client, what it signs: other calls are those of the direct one.
METHODS = [
    one
    for one in official_methods()
    if not one.operation.multipart and (one.client == "direct" or one.is_signed_outside)
]
# The SDK warns of former names of methods, and of endpoints that are going away.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(Use .* instead|This endpoint is deprecated):DeprecationWarning"
)


def those(which: Callable[[Method], bool]) -> list[Method]:
    return [one for one in METHODS if which(one)]


def called(world: GatewayWorld, method: Method, request: Request) -> Any:
    return PythonSdk(world.url(method.operation), CALLER_PEM).call(method, request)


@pytest.mark.parametrize("method", those(is_of_the_api), ids=str)
def test_method_answers_what_the_api_answered(world: GatewayWorld, method: Method) -> None:
    request = replace(request_of(world.world, method.operation), who=SDK)

    answer = called(world, method, request)

    assert answer == (world.answered if method.answers else None)


@pytest.mark.parametrize("method", those(is_of_the_gateway), ids=str)
def test_step_of_a_user_action_is_answered_in_its_declared_shape(
    world: GatewayWorld, method: Method
) -> None:
    request = replace(request_of(world.world, method.operation), who=SDK)
    if method.operation.path == "/auth/action":
        with world.by_hand(method.operation) as caller:
            request = replace(request, body=ACTION.correct(caller, ACTION.begin(caller)))

    answer = called(world, method, request)

    assert misfit(method.operation, compact(answer)) == ""


@pytest.mark.parametrize("method", those(has_csv), ids=str)
def test_csv_of_the_logs_is_passed_to_the_sdk_which_takes_it_for_json(
    world: GatewayWorld, method: Method
) -> None:
    request = replace(request_of(world.world, method.operation), who=SDK)

    with pytest.raises(JSONDecodeError) as caught:
        called(world, method, request)

    assert caught.value.doc.encode() == world.gateways.api.answered.content


@pytest.mark.parametrize("method", those(exchanges_the_token), ids=str)
def test_token_of_the_gateway_is_not_exchanged_for_one_that_the_caller_could_use(
    world: GatewayWorld, method: Method
) -> None:
    request = replace(request_of(world.world, method.operation), who=SDK)

    assert called(world, method, request) == {"token": "[redacted]"}


@pytest.mark.parametrize("method", those(has_another_token), ids=str)
def test_token_of_a_registration_or_recovery_is_not_one_of_a_caller(
    world: GatewayWorld, method: Method
) -> None:
    request = request_of(world.world, method.operation)

    with pytest.raises(DfnsError, match="does not know the caller"):
        called(world, method, request)


def test_name_that_is_not_ascii_passes_an_api_that_compares_payloads_byte_for_byte(
    world: GatewayWorld,
) -> None:
    (method, *_) = [one for one in METHODS if str(one.operation) == "POST /wallets"]
    request = replace(request_of(world.world, method.operation), who=SDK)
    body = {"network": "EthereumSepolia", "name": "é"}

    assert called(world, method, replace(request, body=body))["name"] == "é"


def test_empty_body_passes_an_api_that_compares_payloads_byte_for_byte(
    world: GatewayWorld,
) -> None:
    operation = find("PUT /auth/service-accounts/{serviceAccountId}/deactivate")
    (method, *_) = [one for one in METHODS if one.operation == operation]
    request = replace(request_of(world.world, operation), who=SDK)

    assert called(world, method, replace(request, body={}))["userInfo"]["isActive"] is False


def test_boolean_of_the_query_goes_on_as_the_sdk_writes_it(world: GatewayWorld) -> None:
    operation = find("DELETE /auth/service-accounts/{serviceAccountId}")
    (method, *_) = [one for one in METHODS if one.operation == operation]
    request = replace(request_of(world.world, operation), who=SDK, query={"force": True})

    called(world, method, request)

    assert world.world.emulator.requests[-1].query == "force=True"
