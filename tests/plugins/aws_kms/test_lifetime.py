"""A key from its opening to its end: event loops, threads, closing, forks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import anyio
import anyio.from_thread
import boto3
import pytest
from botocore.client import BaseClient

from dfns_signers.config.assembly import configured_signer
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import KeyNotFoundError, SigningKeyError
from dfns_signers_aws_kms.key import MAX_AT_A_TIME, AwsKmsKey
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble
from tests.plugins.aws_kms.stores import Store
from tests.support.forking import in_forked_child, signatures_after_a_fork

Open = Callable[..., AwsKmsKey]

BOUND = 10
CHALLENGE = {
    "challenge": "Y2g",
    "allowCredentials": {"key": [{"id": "cr-1", "type": "public-key"}], "webauthn": []},
}


def table_of(double: KmsDouble, arn: str) -> dict[str, Any]:
    return {"backend": "aws-kms", "key_id": arn, "endpoint_url": double.url, "max_attempts": 1}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_event_loop_goes_on_while_the_key_is_opened_and_while_it_signs(
    double: KmsDouble, backend: str
) -> None:
    """Each answer of AWS waits until the loop has taken another turn, or the test fails."""
    arn = double.add("ECC_NIST_P256")

    async def sign() -> Any:
        async with anyio.from_thread.BlockingPortal() as portal:

            def after_a_turn_of_the_loop(carry_out: Any) -> Any:
                portal.start_task_soon(anyio.sleep, 0).result(BOUND)
                return carry_out()

            for operation in ("GetPublicKey", "DescribeKey", "Sign", "Sign"):
                double.fail(operation, after_a_turn_of_the_loop)
            loaded = load_profile(credential_id="cr-1", signer=table_of(double, arn))
            async with configured_signer(loaded) as signer:
                return await signer.asign(CHALLENGE)

    assert anyio.run(sign, backend=backend)["kind"] == "Key"
    assert len(double.members("Sign")) == 2


def test_as_many_threads_as_connections_sign_at_once_and_each_connection_is_kept(
    double: KmsDouble, open_key: Open
) -> None:
    threads = 6
    key = open_key(double.add("ECC_NIST_P256"), max_connections=threads)
    together = Barrier(threads)

    def meet(carry_out: Any) -> Any:
        together.wait(BOUND)
        return carry_out()

    faults: list[Fault] = [meet] * (3 * threads)
    double.fail("Sign", *faults)
    with ThreadPoolExecutor(threads) as pool:
        signatures = list(pool.map(key.sign, [b"message"] * (3 * threads)))

    assert all(is_signature(key.public_key, b"message", one) for one in signatures)
    assert double.http.connections == threads


def test_key_is_shared_between_threads_on_a_real_server(ministack: Store) -> None:
    messages = [f"message {n}".encode() for n in range(200)]

    with (
        ministack.opened(ministack.arn("ECC_NIST_EDWARDS25519")) as key,
        ThreadPoolExecutor(8) as pool,
    ):
        signatures = list(pool.map(key.sign, messages))

    pairs = zip(messages, signatures, strict=True)
    assert all(is_signature(key.public_key, message, one) for message, one in pairs)


def test_one_client_serves_all_requests_of_a_key_on_one_connection(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))

    for _ in range(3):
        key.sign(b"message")

    assert double.http.connections == 1


def test_closed_key_closes_its_connections(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    assert double.http.open_connections == 1

    key.close()

    assert double.http.has_no_connection_within(BOUND)


@pytest.mark.parametrize(("settings", "clients"), [({}, 1), ({"endpoint_url": None}, 2)])
def test_key_that_cannot_be_opened_closes_its_client(
    double: KmsDouble,
    open_key: Open,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    clients: int,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", double.url)
    closed: list[BaseClient] = []

    def close(client: BaseClient) -> None:
        closed.append(client)

    monkeypatch.setattr(BaseClient, "close", close)

    with pytest.raises(KeyNotFoundError):
        open_key("alias/nobody", **settings)

    # Where the environment has the address, a first client finds out that no proxy may be between.
    assert len({id(client) for client in closed}) == len(closed) == clients


def test_signature_under_way_outlives_closing_and_its_connection_is_closed_after_it(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AwsKmsKey, "close_wait", 0.0)
    asked, may_answer = threading.Event(), threading.Event()

    def when_it_may(carry_out: Any) -> Any:
        asked.set()
        assert may_answer.wait(BOUND)
        return carry_out()

    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", when_it_may)
    with ThreadPoolExecutor(1) as pool:
        signature = pool.submit(key.sign, b"message")
        assert asked.wait(BOUND)
        key.close()
        may_answer.set()

        assert is_signature(key.public_key, b"message", signature.result(BOUND))
    assert double.http.has_no_connection_within(BOUND)
    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(b"message")


def test_injected_client_is_used_as_it_is_and_left_open(double: KmsDouble) -> None:
    first, second = double.add("ECC_NIST_P256"), double.add("RSA_2048")
    client = boto3.client("kms", region_name=REGION, endpoint_url=double.url)

    with AwsKmsKey(first, client=client):
        pass
    with AwsKmsKey(second, client=client) as key:
        assert key.sign(b"message")

    assert double.http.connections == 1
    client.close()


def test_configured_signer_that_was_used_before_a_fork_signs_in_the_child(
    double: KmsDouble,
) -> None:
    table = table_of(double, double.add("ECC_NIST_P256"))

    assert signatures_after_a_fork(table) == ["signed", "signed"]
    assert double.http.connections == 2


def test_key_made_in_code_refuses_in_a_forked_child_and_says_what_to_do(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P256")

    said = in_forked_child(
        """
        import boto3
        from dfns_signers_aws_kms.key import AwsKmsKey
        key = AwsKmsKey(argument["key_id"], client=boto3.client("kms", **argument["client"]))
        """,
        'outcome(lambda: key.sign(b"message"))',
        {"key_id": arn, "client": {"region_name": REGION, "endpoint_url": double.url}},
    )

    assert f"the key {arn} was opened before this process was forked" in said
    assert said.endswith("open the key in the child process")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_asynchronous_signatures_take_turns(
    backend: str, double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    turn, under_way, most = Barrier(MAX_AT_A_TIME), set[int](), list[int]()

    def hold(carry_out: Callable[[], Any]) -> Any:
        under_way.add(threading.get_ident())
        most.append(len(under_way))
        turn.wait(3 * BOUND)
        under_way.discard(threading.get_ident())
        return carry_out()

    double.fail("Sign", *[hold] * (2 * MAX_AT_A_TIME))

    async def sign_all() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(2 * MAX_AT_A_TIME):
                tasks.start_soon(key.asign, b"message")

    anyio.run(sign_all, backend=backend)

    assert max(most) == MAX_AT_A_TIME


def test_loop_that_waits_for_signatures_holds_up_no_other(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"), read_timeout=3 * BOUND)
    release = threading.Event()

    def hold(carry_out: Callable[[], Any]) -> Any:
        release.wait(3 * BOUND)
        return carry_out()

    double.fail("Sign", *[hold] * MAX_AT_A_TIME)

    async def sign_all() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(MAX_AT_A_TIME):
                tasks.start_soon(key.asign, b"message")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(anyio.run, sign_all)
        while len(double.members("Sign")) <= MAX_AT_A_TIME:  # the dry run among them
            assert not waiting.done(), waiting.result()
            threading.Event().wait(0.01)
        signature = anyio.run(key.asign, b"message")
        release.set()
        waiting.result(3 * BOUND)

    assert is_signature(key.public_key, b"message", signature)
