"""Which calls are sent again: never what may have taken effect and would do so twice."""

from __future__ import annotations

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApiError,
    BadRequestError,
    ConfigurationError,
    RateLimitedError,
    ServerError,
)
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import ACTION, INIT, sent

pytestmark = pytest.mark.usefixtures("pauses")


def create(dfns: Driven, external_id: str | None = None) -> object:
    return dfns.call(
        lambda client: client.wallets.create(network="Bitcoin", external_id=external_id)
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_of_a_call_with_external_id_is_repeated(
    dfns: Driven, emulator: Emulator, status: int
) -> None:
    emulator.fail_next("POST", "/wallets", status=status)

    wallet = create(dfns, "order-7")

    assert [wallet] == dfns.walk(lambda client: client.wallets.list())
    assert len(sent(emulator, INIT)) == len(sent(emulator, ACTION)) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_of_a_call_without_external_id_is_not_repeated(
    dfns: Driven, emulator: Emulator, status: int
) -> None:
    emulator.fail_next("POST", "/wallets", status=status)

    with pytest.raises(ServerError) as caught:
        create(dfns)

    assert caught.value.may_have_taken_effect
    assert len(sent(emulator, "/wallets")) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"note": '"externalId"'},
        {"nested": {"externalId": "order-7"}},
        ["externalId"],
        {"externalId": ""},
        {"externalId": None},
    ],
)
def test_external_id_that_is_none_does_not_make_a_call_repeatable(
    dfns: Driven, emulator: Emulator, body: object
) -> None:
    emulator.fail_next("POST", "/wallets")

    with pytest.raises(ServerError):
        dfns.call(lambda client: client.post("/wallets", json=body))

    assert len(sent(emulator, "/wallets")) == 1


@pytest.mark.parametrize("external_id", [None, "order-7"])
def test_rate_limited_call_is_repeated_for_it_had_no_effect(
    dfns: Driven, emulator: Emulator, external_id: str | None
) -> None:
    emulator.fail_next("POST", "/wallets", status=429, times=2)

    wallet = create(dfns, external_id)

    assert [wallet] == dfns.walk(lambda client: client.wallets.list())
    assert len(sent(emulator, INIT)) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("step", [INIT, ACTION])
def test_failing_step_starts_over_and_signs_again(
    dfns: Driven, emulator: Emulator, step: str, status: int
) -> None:
    emulator.fail_next("POST", step, status=status)

    create(dfns)

    signed = [request.body for request in sent(emulator, ACTION)]
    assert len(sent(emulator, INIT)) == 2
    assert len(set(signed)) == len(signed) == (1 if step == INIT else 2)
    assert len([r for r in sent(emulator, "/wallets") if r.method == "POST"]) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failing_read_is_repeated(dfns: Driven, emulator: Emulator, status: int) -> None:
    emulator.fail_next("GET", "/wallets", status=status, times=2)

    assert dfns.walk(lambda client: client.wallets.list()) == []

    assert len(sent(emulator, "/wallets")) == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 418])
@pytest.mark.parametrize("path", [INIT, ACTION, "/wallets"])
def test_refusal_is_not_repeated(dfns: Driven, emulator: Emulator, path: str, status: int) -> None:
    emulator.fail_next("POST", path, status=status)

    with pytest.raises(ApiError) as caught:
        create(dfns, "order-7")

    assert caught.value.status == status
    assert not caught.value.may_have_taken_effect
    assert len(sent(emulator, INIT)) == 1


@pytest.mark.parametrize(("max_attempts", "tried"), [(1, 1), (2, 2), (5, 5)])
@pytest.mark.parametrize(("status", "effect"), [(503, True), (429, False)])
def test_attempts_end_with_the_last_error(
    connect: Connector,
    emulator: Emulator,
    signer: KeySigner,
    status: int,
    effect: bool,
    max_attempts: int,
    tried: int,
) -> None:
    dfns = connect(emulator.auth_token, signer, base_url=emulator.url, max_attempts=max_attempts)
    emulator.fail_next("POST", "/wallets", status=status, times=9)

    with pytest.raises((ServerError, RateLimitedError)) as caught:
        create(dfns, "order-7")

    assert len(sent(emulator, "/wallets")) == tried
    assert caught.value.may_have_taken_effect is effect


def test_three_attempts_are_the_default(dfns: Driven, emulator: Emulator) -> None:
    emulator.fail_next("GET", "/wallets", times=9)

    with pytest.raises(ServerError) as caught:
        dfns.walk(lambda client: client.wallets.list())

    assert len(sent(emulator, "/wallets")) == 3
    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize("max_attempts", [0, -1])
def test_client_that_would_never_try_is_refused(connect: Connector, max_attempts: int) -> None:
    with pytest.raises(ConfigurationError, match="max_attempts"):
        connect("token", max_attempts=max_attempts)


def test_repeated_call_returns_what_the_lost_answer_would_have(
    dfns: Driven, emulator: Emulator
) -> None:
    first = create(dfns, "order-7")
    emulator.fail_next("POST", "/wallets")

    assert create(dfns, "order-7") == first
    assert len(dfns.walk(lambda client: client.wallets.list())) == 1


def test_refused_body_is_no_conflict_of_a_repetition(dfns: Driven) -> None:
    with pytest.raises(BadRequestError):
        dfns.call(lambda client: client.wallets.create(network="", external_id="order-7"))
