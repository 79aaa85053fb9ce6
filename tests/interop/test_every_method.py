"""Every method of the official SDK for Python, direct and delegated, against one emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from dfns_sdk.types import DfnsError

from dfns_signers.operations import Operation, operations
from tests.emulator.caller import compact
from tests.interop.official_methods import Method, PythonSdk, official_methods
from tests.interop.official_requests import request_of
from tests.interop.official_world import World, find, official_world
from tests.support.answer_judge import misfit

METHODS = official_methods()
# The SDK warns of former names of methods, and of endpoints that are going away.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(Use .* instead|This endpoint is deprecated):DeprecationWarning"
)


@pytest.fixture
def world() -> Iterator[World]:
    with official_world() as made:
        yield made


@pytest.fixture
def sdk(world: World) -> PythonSdk:
    return PythonSdk(world.emulator.url)


def has_csv(method: Method) -> bool:
    return str(method.operation) == "GET /auth/action/logs"


def signs_nothing(method: Method) -> bool:
    """Whether the delegated client wants a signer, which it cannot have, for an upload."""
    return method.client == "delegated" and method.operation.multipart


UPLOADS = [one for one in METHODS if signs_nothing(one)]
WITH_CSV = [one for one in METHODS if has_csv(one)]
ANSWERED = [one for one in METHODS if not has_csv(one) and not signs_nothing(one)]


@pytest.mark.parametrize("method", ANSWERED, ids=str)
def test_method_is_answered_in_its_declared_shape(
    world: World, sdk: PythonSdk, method: Method
) -> None:
    answer = sdk.call(method, request_of(world, method.operation))

    if method.answers:
        assert misfit(method.operation, compact(answer)) == ""
    else:
        assert answer is None


@pytest.mark.parametrize("method", UPLOADS, ids=str)
def test_delegated_upload_fails_in_the_sdk_before_anything_is_sent(
    world: World, sdk: PythonSdk, method: Method
) -> None:
    request = request_of(world, method.operation)
    before = len(world.emulator.requests)

    with pytest.raises(DfnsError, match="Signer required") as caught:
        sdk.call(method, request)

    assert caught.value.error_code == "SIGNER_REQUIRED"
    assert len(world.emulator.requests) == before


@pytest.mark.parametrize("method", WITH_CSV, ids=str)
def test_sdk_takes_the_csv_of_the_logs_for_json(
    world: World, sdk: PythonSdk, method: Method
) -> None:
    request = request_of(world, method.operation)

    with pytest.raises(json.JSONDecodeError) as caught:
        sdk.call(method, request)

    assert caught.value.doc.splitlines()[0] == "id,action,userId,username,datePerformed"


def test_sdk_writes_a_boolean_of_the_query_as_python_does(world: World, sdk: PythonSdk) -> None:
    operation = find("DELETE /auth/service-accounts/{serviceAccountId}")
    (method, *_) = [one for one in METHODS if one.operation == operation]
    request = replace(request_of(world, operation), query={"force": True})

    sdk.call(method, request)

    assert world.emulator.requests[-1].query == "force=True"


CALLED = {one.operation for one in METHODS if one.client == "direct"}
OTHERS = sorted(set(operations()) - CALLED)


@pytest.mark.parametrize("operation", OTHERS, ids=str)
def test_operation_that_the_sdk_lacks_is_answered_in_its_declared_shape(
    world: World, operation: Operation
) -> None:
    request = request_of(world, operation)

    if operation.method == "GET":
        response = world.caller.get(request.path)
    else:
        response = world.caller.call(operation.method, request.path, request.body)

    assert response.status_code == 200, response.text
    assert misfit(operation, compact(response.json())) == ""


def test_both_clients_of_the_sdk_call_the_same_operations() -> None:
    assert {one.operation for one in METHODS if one.client == "delegated"} == CALLED
