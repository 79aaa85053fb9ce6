"""``emulator``: a local API in the foreground, for programs to start and stop."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers import ChangeRequest, DfnsClient
from tests.core.cli.support import PROGRAM, Command, Started, run
from tests.core.config.support import write_client_config, write_config
from tests.core.keys import public_key, public_pem
from tests.emulator.passkeys import Authenticator

TOKEN = "a-token-of-its-own"
REFUSAL = "token.unknown: user token is missing or invalid: this server did not issue it."


def announced(process: Started) -> Any:
    return json.loads(process.line())


def wallets(settings: Any, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{settings['url']}/wallets", headers=headers, trust_env=False).status_code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_emulator_announces_itself_in_one_line_and_stops_at_a_signal_with_0(
    number: signal.Signals,
) -> None:
    with Started("emulator") as process:
        settings = announced(process)
        assert {"url", "auth_token", "user_id", "org_id"} <= settings.keys()
        assert settings["url"].startswith("http://127.0.0.1:")
        assert wallets(settings, settings["auth_token"]) == 200

        assert process.stop(number) == (0, b"", b"GET /wallets 200\n")

        with pytest.raises(httpx.ConnectError):
            wallets(settings, settings["auth_token"])


def test_each_request_is_shown_in_a_line_without_secrets(folder: Path, key_file: Path) -> None:
    config = write_client_config(folder, "https://api.dfns.io", TOKEN)

    with Started("emulator", "--config", config) as process:
        settings = announced(process)
        with DfnsClient.from_config(config=config, base_url=settings["url"]) as dfns:
            dfns.wallets.create(network="EthereumSepolia")
            list(dfns.wallets.list(limit=2))
        assert wallets(settings, "another-token") == 401
        code, out, err = process.stop(signal.SIGTERM)

    assert (code, out) == (0, b"")
    assert err.decode().splitlines() == [
        "POST /auth/action/init 200",
        "POST /auth/action 200",
        "POST /wallets 200",
        "GET /wallets?limit=2 200",
        f"GET /wallets 401 {REFUSAL}",
    ]


def test_what_a_request_has_in_it_stays_in_its_line() -> None:
    with Started("emulator", "--token", TOKEN) as process:
        url = announced(process)["url"]
        httpx.post(
            f"{url}/auth/action/init",
            json={"a\nb\x1b[2J": 1},
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )
        _, _, err = process.stop(signal.SIGTERM)

    (line,) = err.decode().splitlines()
    assert line.startswith(
        "POST /auth/action/init 400 field.unknown: a\\nb\\x1b[2J is not a member"
    )


@pytest.mark.parametrize("option", ["--quiet", "-q"])
def test_requests_are_not_shown_where_that_is_asked_for(option: str) -> None:
    with Started("emulator", "--token", TOKEN, option) as process:
        settings = announced(process)

        assert wallets(settings, TOKEN) == 200
        assert wallets(settings, "another-token") == 401
        assert process.stop(signal.SIGTERM) == (0, b"", b"")


def test_log_shows_who_called_what_was_signed_and_why_it_was_refused(
    folder: Path, key_file: Path
) -> None:
    config = write_client_config(folder, "https://api.dfns.io", TOKEN)
    options = ("--config", config, "--log", "--require-approval", "POST /keys")

    with Started("emulator", *options) as process:
        settings = announced(process)
        (credential,) = settings["credential_ids"]
        with DfnsClient.from_config(config=config, base_url=settings["url"]) as dfns:
            dfns.wallets.create(network="EthereumSepolia")
            dfns.keys.create(scheme="EdDSA", curve="ed25519")
        assert wallets(settings, "another-token") == 401
        _, _, err = process.stop(signal.SIGTERM)

    def row(status: int, caller: str, call: str, signing: str = "") -> str:
        return f"{status}  {caller:16}  {call:40}  {signing}".rstrip()

    # Time of day and duration differ.
    shown = re.sub(r"(?m)^[0-9:]{8}  ([0-9]{3}) +[0-9.]+ ms|^ {26}", r"\1", err.decode())
    user, init, complete = "emulator-user", "POST   /auth/action/init", "POST   /auth/action"
    assert shown.splitlines() == [
        row(200, user, init, "announces POST /wallets"),
        row(200, user, complete, f"{credential} (Key) signs POST /wallets"),
        row(200, user, "POST   /wallets", f"signed by {credential} (Key)"),
        row(200, user, init, "announces POST /keys"),
        row(200, user, complete, f"{credential} (Key) signs POST /keys"),
        row(202, user, "POST   /keys", f"signed by {credential} (Key)"),
        "accepted; it waits for approval",
        row(401, "-", "GET    /wallets"),
        REFUSAL,
    ]
    assert b"\x1b" not in err
    assert TOKEN.encode() not in err


def test_log_keeps_what_a_request_has_in_it_from_the_terminal() -> None:
    with Started("emulator", "--token", TOKEN, "--log") as process:
        url = announced(process)["url"]
        httpx.post(
            f"{url}/auth/action/init",
            json={"userActionHttpMethod": "a\nb\x1b[2J", "userActionHttpPath": "[red]"},
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )
        _, _, err = process.stop(signal.SIGTERM)

    first, second = err.decode().splitlines()
    assert first.endswith("announces a\\nb\\x1b[2J [red]")
    assert "field.missing" in second


def test_more_and_nothing_of_the_requests_cannot_both_be_shown(command: Command) -> None:
    done = command("emulator", "--log", "--quiet")

    assert (done.code, done.out) == (2, "")
    assert "--log and --quiet exclude each other" in done.err


def test_tls_is_announced_with_what_each_client_must_be_given() -> None:
    with Started("emulator", "--tls", "--token", TOKEN) as process:
        settings = announced(process)
        file = Path(settings["ca_file"])
        context = ssl.create_default_context(cafile=file)
        answer = httpx.get(
            f"{settings['url']}/wallets",
            headers={"Authorization": f"Bearer {settings['auth_token_jwt']}"},
            verify=context,
            trust_env=False,
        )
        code, _, err = process.stop(signal.SIGTERM)

    assert settings["url"].startswith("https://127.0.0.1:")
    assert (answer.status_code, code) == (200, 0)
    said = err.decode()
    assert f"SSL_CERT_FILE={file}" in said
    assert f"REQUESTS_CA_BUNDLE={file}" in said
    assert f"--cacert {file}" in said
    assert f"NODE_EXTRA_CA_CERTS={file}" in said
    assert f"-file {file}" in said
    assert not file.parent.exists()


def test_profile_of_the_first_user_is_called_with_the_authority(folder: Path) -> None:
    config = folder / "config.toml"

    with Started("emulator", "--tls", "--admin", "local", "--config", config) as process:
        settings = announced(process)
        trust = {"SSL_CERT_FILE": settings["ca_file"]}
        done = run(
            "request", "--config", config, "--profile", "local", "POST", "/wallets",
            "--json", '{"network": "EthereumSepolia"}', **trust,
        )  # fmt: skip
        _, _, err = process.stop(signal.SIGTERM)

    assert (done.code, done.json["network"]) == (0, "EthereumSepolia")
    assert f"SSL_CERT_FILE={settings['ca_file']} {PROGRAM} request" in err.decode()


def test_client_without_the_authority_is_advised_to_trust_it(folder: Path) -> None:
    config = folder / "config.toml"

    with Started("emulator", "--tls", "--admin", "local", "--config", config) as process:
        announced(process)
        done = run("request", "--config", config, "--profile", "local", "GET", "/wallets")

    assert done.code == 7
    assert "set SSL_CERT_FILE to the certificate of the authority" in done.err


def test_statuses_move_by_steps_from_another_program_alone(folder: Path) -> None:
    config = folder / "config.toml"
    options = ("--admin", "local", "--config", config, "--progress", "manual")

    with Started("emulator", *options) as process:
        url = announced(process)["url"]
        with DfnsClient.from_config("local", config=config) as dfns:
            wallet = dfns.wallets.create(network="Base")["id"]
            path = f"/wallets/{wallet}/transfers"
            body = {"kind": "Native", "to": "0x" + "00" * 20, "amount": "1"}
            transfer = dfns.post(path, json=body)["id"]
            before = [dfns.get(f"{path}/{transfer}")["status"] for _ in range(2)]
            step = httpx.post(
                f"{url}/_emulator/step", json={"id": transfer}, trust_env=False
            ).json()
            after = dfns.get(f"{path}/{transfer}")["status"]

    assert (before, step, after) == (["Pending", "Pending"], {"stepped": True}, "Executing")


def test_progress_of_another_kind_is_refused(command: Command) -> None:
    done = command("emulator", "--progress", "automatic")

    assert (done.code, done.out) == (2, "")
    assert "'reads', 'manual'" in done.err


def test_page_of_a_named_origin_may_call() -> None:
    origins = ("http://localhost:3000", "https://app.example")
    options = [word for origin in origins for word in ("--cors-origin", origin)]

    with Started("emulator", *options) as process:
        url = announced(process)["url"]
        allowed = [
            httpx.get(f"{url}/wallets", headers={"Origin": origin}, trust_env=False).headers.get(
                "access-control-allow-origin"
            )
            for origin in (*origins, "http://localhost:3001")
        ]

    assert allowed == [*origins, None]


def test_origin_that_no_browser_sends_ends_with_3(command: Command) -> None:
    done = command("emulator", "--cors-origin", "localhost:3000/page")

    assert (done.code, done.out) == (3, "")
    assert "such as http://localhost:3000" in done.err


def test_private_key_in_place_of_a_public_one_ends_with_3_and_how_to_write_that(
    command: Command, key_file: Path
) -> None:
    done = command("emulator", "--credential", f"cr-1={key_file}")

    assert (done.code, done.out) == (3, "")
    assert "cannot register cr-1: a private key" in done.err
    assert "'openssl pkey -in KEY -pubout'" in done.err


def test_misspelt_call_to_approve_ends_with_the_one_that_was_probably_meant(
    command: Command,
) -> None:
    done = command("emulator", "--require-approval", "POST /walets")

    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "error: the emulator has no operation POST /walets (did you mean '/wallets'?)\n"
    )


def test_token_and_credentials_that_are_given_are_accepted(folder: Path) -> None:
    keys = {"first": "Ed25519", "second": "ES256"}
    options = []
    for name, algorithm in keys.items():
        path = folder / f"{name}.pub"
        path.write_bytes(public_pem(public_key(algorithm)))
        options += ["--credential", f"{name}={path}"]

    with Started("emulator", "--token", TOKEN, *options) as process:
        settings = announced(process)

        assert settings["auth_token"] == TOKEN
        assert set(settings["credential_ids"]) == set(keys)
        assert wallets(settings, TOKEN) == 200
        assert wallets(settings, "another-token") == 401


def test_profile_works_with_its_own_key_and_token(folder: Path, key_file: Path) -> None:
    config = write_client_config(folder, "https://api.dfns.io", TOKEN)

    with Started("emulator", "--config", config, "--profile", "p") as process:
        settings = announced(process)
        with DfnsClient.from_config(config=config, base_url=settings["url"]) as dfns:
            assert dfns.wallets.create(network="EthereumSepolia")["network"] == "EthereumSepolia"


def test_token_that_is_given_counts_more_than_that_of_the_profile(
    folder: Path, key_file: Path
) -> None:
    config = write_client_config(folder, "https://api.dfns.io", "token-of-the-profile")

    with Started("emulator", "--config", config, "--token", TOKEN) as process:
        assert announced(process)["auth_token"] == TOKEN


def test_token_of_the_profile_that_cannot_be_read_is_replaced_by_a_new_one(
    folder: Path, key_file: Path
) -> None:
    config = write_client_config(folder, "https://api.dfns.io", TOKEN)
    config.write_text(
        config.read_text().replace(f'"{TOKEN}"', '{ env = "NO_SUCH_TOKEN" }'), encoding="utf-8"
    )

    with Started("emulator", "--config", config) as process:
        settings = announced(process)
        new = settings["auth_token"]

        assert process.note() == (
            b"the token of the profile is replaced by a new one: "
            b"the environment variable NO_SUCH_TOKEN is not set\n"
        )
        with DfnsClient.from_config(
            config=config, base_url=settings["url"], auth_token=new
        ) as dfns:
            assert dfns.wallets.create(network="EthereumSepolia")["network"] == "EthereumSepolia"


def test_token_of_the_profile_that_cannot_be_read_does_not_matter_where_one_is_given(
    folder: Path, key_file: Path
) -> None:
    config = write_client_config(folder, "https://api.dfns.io", "")

    with Started("emulator", "--config", config, "--token", TOKEN) as process:
        assert announced(process)["auth_token"] == TOKEN
        assert process.stop(signal.SIGTERM) == (0, b"", b"")


def test_call_that_shall_be_approved_is_answered_so(folder: Path, key_file: Path) -> None:
    config = write_client_config(folder, "https://api.dfns.io", TOKEN)

    with Started("emulator", "--config", config, "--require-approval", "post /wallets") as process:
        settings = announced(process)
        with DfnsClient.from_config(config=config, base_url=settings["url"]) as dfns:
            assert isinstance(dfns.wallets.create(network="EthereumSepolia"), ChangeRequest)


def test_relying_party_and_its_origins_are_those_of_the_options() -> None:
    site = ("--rp-id", "example.com", "--origin", "https://app.example.com")
    with Started("emulator", *site, "--token", TOKEN) as process:
        settings = announced(process)
        body = {"idToken": "alice", "socialLoginProviderKind": "Oidc"}
        with httpx.Client(base_url=settings["url"], trust_env=False) as http:
            challenge = http.post("/auth/registration/social", json=body).json()
            browser = Authenticator(rp_id="example.com", origin="https://other.example.com")
            answers = []
            for origin in (browser.origin, "https://app.example.com"):
                browser.origin = origin
                passkey = {"credentialKind": "Fido2", "credentialInfo": browser.create(challenge)}
                answers.append(
                    http.post(
                        "/auth/registration",
                        json={"firstFactorCredential": passkey},
                        headers={
                            "Authorization": f"Bearer {challenge['temporaryAuthenticationToken']}"
                        },
                    )
                )

    assert challenge["rp"]["id"] == "example.com"
    assert [answer.status_code for answer in answers] == [400, 200]


def test_rate_limit_is_kept() -> None:
    with Started("emulator", "--rate-limit", "1", "--token", TOKEN) as process:
        settings = announced(process)

        assert [wallets(settings, TOKEN), wallets(settings, TOKEN)] == [200, 429]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "expected HOST:PORT, such as 127.0.0.1:0"),
        ("127.0.0.1:70000", "expected HOST:PORT"),
        ("0.0.0.0:0", "listens on 127.0.0.1, [::1] or localhost only"),
        ("api.dfns.io:80", "listens on 127.0.0.1, [::1] or localhost only"),
    ],
)
def test_address_that_is_no_loopback_address_ends_with_3(
    command: Command, address: str, reason: str
) -> None:
    done = command("emulator", "--listen", address)

    assert (done.code, done.out) == (3, "")
    assert address.partition(":")[0] in done.err
    assert reason in done.err


def test_port_that_is_taken_ends_with_1_and_what_to_do(command: Command) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        port = bound.getsockname()[1]

        done = command("emulator", "--listen", f"127.0.0.1:{port}")

    assert (done.code, done.out) == (1, "")
    assert f"port {port}: Address already in use. Name another port" in done.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--credential", "Y2kt"),
        ("--credential", "=key.pub"),
        ("--require-approval", "nonsense"),
        ("--require-approval", "POST "),
        ("--rate-limit", "0"),
        ("--rate-limit", "many"),
    ],
)
def test_option_of_another_form_ends_with_2_naming_it(
    command: Command, option: str, value: str
) -> None:
    done = command("emulator", option, value)

    assert (done.code, done.out) == (2, "")
    assert option in done.err


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--rp-id", "https://example.com", "rp_id must be a domain"),
        ("--origin", "localhost:8000", "expected scheme, host and perhaps a port"),
    ],
)
def test_relying_party_that_is_not_valid_ends_with_3_and_the_reason(
    command: Command, option: str, value: str, reason: str
) -> None:
    done = command("emulator", option, value)

    assert (done.code, done.out) == (3, "")
    assert reason in done.err


def test_public_key_file_that_is_missing_ends_with_2_naming_it(command: Command) -> None:
    done = command("emulator", "--credential", "Y2kt=missing.pub")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: the public key cannot be read from missing.pub: No such file or directory\n"
    )


@pytest.mark.parametrize(
    ("rule", "reason"),
    [("POST /nowhere", "no operation POST /nowhere"), ("GET /wallets", "takes no user action")],
)
def test_call_that_cannot_be_approved_ends_with_3(command: Command, rule: str, reason: str) -> None:
    done = command("emulator", "--require-approval", rule)

    assert (done.code, done.out) == (3, "")
    assert reason in done.err


def test_profile_without_a_credential_id_ends_with_3(
    command: Command, folder: Path, key_file: Path
) -> None:
    config = write_config(
        folder, "default_profile = 'p'\n[profiles.p]\nsigner = 'pem:?path=key.pem'"
    )

    done = command("emulator", "--config", config)

    assert done.code == 3
    assert "'credential_id' is missing" in done.err
