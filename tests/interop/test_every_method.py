"""Every method of the official SDK for Python, direct and delegated, against one emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from dfns_sdk.types import DfnsError

from dfns_signers.operations import Operation, operations
from tests.interop.official_methods import Method, official_methods
from tests.interop.official_world import World, official_world
from tests.interop.shape_values import faults

METHODS = official_methods()
# The SDK warns of former names of methods, and of endpoints that are going away.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(Use .* instead|This endpoint is deprecated):DeprecationWarning"
)


@pytest.fixture
def world() -> Iterator[World]:
    with official_world() as made:
        yield made


def has_csv(method: Method) -> bool:
    return str(method.operation) == "GET /auth/action/logs"


def signs_nothing(method: Method) -> bool:
    """Whether the delegated client wants a signer, which it cannot have, for an upload."""
    return method.client == "delegated" and method.operation.multipart


UPLOADS = [one for one in METHODS if signs_nothing(one)]
WITH_CSV = [one for one in METHODS if has_csv(one)]
ANSWERED = [one for one in METHODS if not has_csv(one) and not signs_nothing(one)]


@pytest.mark.parametrize("method", ANSWERED, ids=str)
def test_method_is_answered_in_its_declared_shape(world: World, method: Method) -> None:
    answer = world.call(method)

    if method.answers:
        assert faults(method.operation, answer) == []
    else:
        assert answer is None


@pytest.mark.parametrize("method", UPLOADS, ids=str)
def test_delegated_upload_fails_in_the_sdk_before_anything_is_sent(
    world: World, method: Method
) -> None:
    arguments = world.arguments(method)
    before = len(world.emulator.requests)

    with pytest.raises(DfnsError, match="Signer required") as caught:
        method.of(world.delegated)(**arguments)

    assert caught.value.error_code == "SIGNER_REQUIRED"
    assert len(world.emulator.requests) == before


@pytest.mark.parametrize("method", WITH_CSV, ids=str)
def test_sdk_takes_the_csv_of_the_logs_for_json(world: World, method: Method) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        world.call(method)

    assert caught.value.doc.splitlines()[0] == "id,action,userId,username,datePerformed"


def test_sdk_writes_a_boolean_of_the_query_as_python_does(world: World) -> None:
    account = world.make("/auth/service-accounts")

    world.direct.auth.delete_service_account(account, query={"force": True})

    assert world.emulator.requests[-1].query == "force=True"


CALLED = {one.operation for one in METHODS if one.client == "direct"}
OTHERS = sorted(set(operations()) - CALLED)


@pytest.mark.parametrize("operation", OTHERS, ids=str)
def test_operation_that_the_sdk_lacks_is_answered_in_its_declared_shape(
    world: World, operation: Operation
) -> None:
    path = world.path_of(operation)

    if operation.method == "GET":
        response = world.caller.get(path)
    else:
        response = world.caller.call(operation.method, path, world.body_of(operation))

    assert response.status_code == 200, response.text
    assert faults(operation, response.json()) == []


def test_both_clients_of_the_sdk_call_the_same_operations() -> None:
    assert {one.operation for one in METHODS if one.client == "delegated"} == CALLED
