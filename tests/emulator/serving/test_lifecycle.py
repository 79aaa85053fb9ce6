from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from dfns_signers_testkit.servers import free_port
from tests.emulator.caller import Caller, answered
from tests.emulator.keys import PrivateKey, pem, private_key


def get(emulator: Emulator) -> httpx.Response:
    headers = {"Authorization": f"Bearer {emulator.auth_token}"}
    return httpx.get(f"{emulator.url}/wallets", headers=headers, trust_env=False)


def test_started_emulator_answers_at_its_url() -> None:
    with Emulator() as emulator:
        assert get(emulator).status_code == 200


def connected(emulator: Emulator) -> socket.socket:
    parts = urlsplit(emulator.url)
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_url_names_the_ipv4_address_and_the_port_that_was_free(host: str) -> None:
    with Emulator(host) as emulator:
        parts = urlsplit(emulator.url)

        assert parts.hostname == "127.0.0.1"
        assert parts.port
        assert get(emulator).status_code == 200


def test_emulator_listens_on_ipv6() -> None:
    with Emulator("::1") as emulator:
        assert emulator.url.startswith("http://[::1]:")
        assert get(emulator).status_code == 200


def test_many_emulators_run_at_once_and_share_nothing() -> None:
    emulators = [Emulator() for _ in range(8)]
    for emulator in emulators:
        emulator.start()
    try:
        assert [get(emulator).status_code for emulator in emulators] == [200] * 8
        assert len({emulator.url for emulator in emulators}) == 8
        assert len({emulator.auth_token for emulator in emulators}) == 8
        assert [len(emulator.requests) for emulator in emulators] == [1] * 8
    finally:
        for emulator in emulators:
            emulator.stop()


def test_stopped_emulator_accepts_no_connection() -> None:
    with Emulator(port=free_port()) as emulator:
        url = emulator.url

    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_stop_closes_a_connection_that_waits_for_more(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        connection.sendall(b"POST /wallets HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        # An answered request proves that the server has seen what was sent before it.
        assert get(emulator).status_code == 200

        emulator.stop()

        try:
            remainder = connection.recv(1)
        except ConnectionResetError:
            remainder = b""
        assert remainder == b""


def test_client_that_goes_away_within_a_request_harms_nobody(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(emulator) as connection:
        connection.sendall(b"POST /wallets HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")

    assert get(emulator).status_code == 200
    emulator.stop()
    assert [request.method for request in emulator.requests] == ["GET"]
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_stop_before_the_start_does_nothing() -> None:
    Emulator().stop()


def test_stop_may_be_called_twice() -> None:
    emulator = Emulator()
    emulator.start()
    emulator.stop()

    emulator.stop()


def test_stop_that_takes_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator()
    emulator.start()
    with connected(emulator) as connection, monkeypatch.context() as patched:
        connection.sendall(b"POST /wallets HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        assert get(emulator).status_code == 200
        patched.setattr("dfns_signers.emulator.serving.server.STOP_SECONDS", 0)

        with pytest.raises(RuntimeError, match="did not stop within 0 s"):
            emulator.stop()

    emulator.stop()


def test_second_start_is_refused() -> None:
    with Emulator() as emulator, pytest.raises(ConfigurationError, match="started before"):
        emulator.start()


def test_start_after_the_stop_is_refused() -> None:
    with Emulator() as emulator:
        pass

    with pytest.raises(ConfigurationError, match="started before"):
        emulator.start()


def test_url_before_the_start_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="before it is started"):
        _ = Emulator().url


def test_port_in_use_is_refused_by_number(emulator: Emulator) -> None:
    port = urlsplit(emulator.url).port
    assert port is not None

    with pytest.raises(ConfigurationError, match=f"127.0.0.1, port {port}: "):
        Emulator(port=port).start()


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "", "localhost.example.com"]
)
def test_host_that_others_can_reach_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="its tokens are not secret"):
        Emulator(host)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"challenge_lifetime": 0}, "challenge_lifetime"),
        ({"user_action_lifetime": 0}, "user_action_lifetime"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 501}, "page_size"),
        ({"token": ""}, "the token is not a valid bearer token"),
        ({"token": "two words"}, "the token is not a valid bearer token"),
        ({"credentials": {"cr-1": "no key"}}, "cannot register cr-1: not a PEM public key"),
        ({"credentials": {"cr-1": b"\xff"}}, "cannot register cr-1"),
    ],
)
def test_argument_that_cannot_be_used_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Emulator(**arguments)


@pytest.mark.parametrize("page_size", [1, 500])
def test_page_size_at_a_bound_is_accepted(page_size: int) -> None:
    Emulator(page_size=page_size)


def test_start_without_the_extra_packages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("uvicorn", "starlette.types", "starlette.requests"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "dfns_signers.emulator.serving.server", raising=False)

    with pytest.raises(ConfigurationError, match=r'pip install "dfns-signers\[emulator\]"') as said:
        Emulator().start()
    assert 'in a clone of the repository: pip install ".[emulator]"' in str(said.value)


def test_library_of_passkeys_is_imported_for_a_passkey_only(key: PrivateKey) -> None:
    program = (
        "import sys\n"
        "from dfns_signers.emulator import Emulator\n"
        "with Emulator() as emulator:\n"
        "    emulator.register(sys.stdin.read(), kind='Fido2')\n"
        "assert 'fido2' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], input=pem(key), text=True, check=True)


def test_settings_are_what_a_client_needs(emulator: Emulator) -> None:
    assert emulator.settings == {
        "url": emulator.url,
        "auth_token": emulator.auth_token,
        "user_id": emulator.user_id,
        "org_id": emulator.org_id,
        "credential_ids": ["cr-first"],
        "auth_token_jwt": emulator.auth_token,
    }


def test_representations_hold_no_token(emulator: Emulator) -> None:
    identity = emulator.add_identity("other")

    assert emulator.auth_token not in repr(emulator)
    assert identity.token not in repr(identity)


# Setting up


def test_registered_credential_gets_an_id(emulator: Emulator, caller: Caller) -> None:
    caller.key = private_key("p256")

    caller.credential_id = emulator.register(pem(caller.key).encode())

    assert caller.credential_id.startswith("cr-")
    caller.create("/wallets", {"network": "Base"})


def test_credential_can_be_enrolled_by_the_name_of_old(emulator: Emulator) -> None:
    assert emulator.enrol(pem(private_key("p256")), "cr-second") == "cr-second"
    assert emulator.settings["credential_ids"] == ["cr-first", "cr-second"]


def test_registration_of_an_id_in_use_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot register cr-first: .* is in use"):
        emulator.register(pem(private_key("p256")), "cr-first")


def test_registration_of_a_key_that_is_not_acceptable_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="cannot register a credential: not a PEM"):
        emulator.register("no key")


def test_registration_of_an_unknown_kind_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="kind must be one of Key"):
        emulator.register(pem(private_key("p256")), kind="Totp")


def test_disabling_an_unknown_credential_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="no credential cr-9"):
        emulator.disable_credential("cr-9")


def test_disabling_an_unknown_identity_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="no user us-9"):
        emulator.disable_identity("us-9")


def test_added_service_account_calls_and_is_listed(emulator: Emulator, caller: Caller) -> None:
    robot = emulator.add_identity("robot", service_account=True, token="robot-token")

    assert robot.is_service_account is True
    (listed,) = answered(caller.get("/auth/service-accounts"))["items"]
    assert listed["userInfo"]["userId"] == robot.user_id
    caller.token = "robot-token"
    answered(caller.get("/wallets"))


def test_added_identity_with_the_token_of_another_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="belongs to another identity"):
        emulator.add_identity("other", token=emulator.auth_token)


def test_identity_that_is_refused_is_not_added(emulator: Emulator, caller: Caller) -> None:
    with pytest.raises(ConfigurationError, match="cannot register cr-b"):
        emulator.add_identity(
            "robot",
            service_account=True,
            token="robot-token",
            credentials={"cr-a": pem(caller.key), "cr-b": "no key"},
        )

    assert answered(caller.get("/auth/service-accounts")) == {"items": []}
    emulator.register(pem(caller.key), "cr-a")
    emulator.add_identity("robot", token="robot-token")
