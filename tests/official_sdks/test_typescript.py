"""Every method of the official SDK for TypeScript, direct and delegated, with ``orgId`` set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dfns_signers.operations import shapes_of
from tests.emulator.caller import compact
from tests.interop.official_requests import request_of
from tests.interop.official_world import World, find, official_world
from tests.official_sdks.typescript import (
    Method,
    TypeScriptError,
    TypeScriptSdk,
    typescript_sdk,
)
from tests.support.answer_judge import misfit

with typescript_sdk() as running:
    METHODS = running.methods()


@pytest.fixture(scope="module")
def sdk() -> Iterator[TypeScriptSdk]:
    with typescript_sdk() as running:
        yield running


@pytest.fixture
def world() -> Iterator[World]:
    with official_world() as made:
        yield made


def has_csv(method: Method) -> bool:
    return str(method.operation) == "GET /auth/action/logs"


def test_sdk_knows_the_operations_whose_shapes_are_declared() -> None:
    direct = [one for one in METHODS if one.client == "direct"]
    called = {one.operation for one in direct}

    assert (len(direct), len(called)) == (188, 179)  # nine have a former name
    assert all(shapes_of(one).is_declared for one in called)


def test_only_uploads_and_former_names_are_not_in_the_delegated_client() -> None:
    direct, delegated = (
        {(one.group, one.name): one.operation for one in METHODS if one.client == client}
        for client in ("direct", "delegated")
    )

    lacking = {direct[name] for name in direct.keys() - delegated.keys()}

    assert all(one.multipart or one in delegated.values() for one in lacking)


def is_upload(method: Method) -> bool:
    return method.operation.multipart


ANSWERED = [one for one in METHODS if not has_csv(one) and not is_upload(one)]


@pytest.mark.parametrize("method", ANSWERED, ids=str)
def test_method_is_answered_in_its_declared_shape(
    world: World, sdk: TypeScriptSdk, method: Method
) -> None:
    answer = sdk.call(world, method, request_of(world, method.operation))

    assert misfit(method.operation, compact(answer)) == ""


@pytest.mark.parametrize("method", [one for one in METHODS if has_csv(one)], ids=str)
def test_sdk_takes_the_csv_of_the_logs_for_json(
    world: World, sdk: TypeScriptSdk, method: Method
) -> None:
    request = request_of(world, method.operation)

    with pytest.raises(TypeScriptError, match=r"\"id,action,\"\.\.\. is not valid JSON"):
        sdk.call(world, method, request)


@pytest.mark.parametrize("method", [one for one in METHODS if is_upload(one)], ids=str)
def test_sdk_sends_no_parts_of_an_upload_in_node(
    world: World, sdk: TypeScriptSdk, method: Method
) -> None:
    request = request_of(world, method.operation)

    with pytest.raises(TypeScriptError, match='and is "text/plain'):
        sdk.call(world, method, request)

    assert world.emulator.requests[-1].body == b"[object FormData]"


def test_list_in_a_query_is_sent_as_repeated_parameters(world: World, sdk: TypeScriptSdk) -> None:
    (method,) = [one for one in METHODS if str(one) == "direct-payouts.listPayouts"]
    request_of(world, find("GET /payouts/{payoutId}"))  # makes one
    request = request_of(world, method.operation)

    def listed(*statuses: str) -> int:
        asked = replace(request, query={"status": statuses})
        return len(sdk.call(world, method, asked)["items"])

    (payout,) = sdk.call(world, method, request)["items"]
    others = {"Failed", "Rejected"}
    assert listed(payout["status"], "Failed") == 1
    assert listed(*others) == 0
    assert world.emulator.requests[-1].query.count("status=") == 2


def test_call_that_waits_for_approval_is_an_exception_of_its_own(
    world: World, sdk: TypeScriptSdk
) -> None:
    (method,) = [one for one in METHODS if str(one) == "direct-wallets.createWallet"]
    request = request_of(world, method.operation)
    world.emulator.require_approval("POST", "/wallets")

    with pytest.raises(TypeScriptError) as caught:
        sdk.call(world, method, request)

    assert caught.value.name == "PolicyPendingError"


def test_refusal_has_the_message_of_the_emulator(world: World, sdk: TypeScriptSdk) -> None:
    (method,) = [one for one in METHODS if str(one) == "direct-wallets.createWallet"]
    request = replace(request_of(world, method.operation), body={"network": "EtherumSepolia"})

    with pytest.raises(TypeScriptError, match="did you mean") as caught:
        sdk.call(world, method, request)

    assert caught.value.name == "DfnsError"
