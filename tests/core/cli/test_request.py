"""``request``: any endpoint, signed if it must be."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.core.config.support import write_client_config

BODY = '{"network": "EthereumSepolia"}'


@pytest.fixture
def request_(command: Command, client_config: Path) -> Command:
    return lambda *arguments, stdin="": command(
        "request", "--config", client_config, *arguments, stdin=stdin
    )


def paths(emulator: Emulator) -> list[str]:
    return [request.raw_path for request in emulator.requests]


def test_read_is_printed_as_json_and_not_signed(request_: Command, emulator: Emulator) -> None:
    done = request_("GET", "/wallets")

    assert (done.code, done.err) == (0, "")
    assert done.json["items"] == []
    assert paths(emulator) == ["/wallets"]


def test_change_is_signed_and_its_answer_printed(request_: Command, emulator: Emulator) -> None:
    done = request_("POST", "/wallets", "--json", BODY)

    assert (done.code, done.err) == (0, "")
    assert done.json["network"] == "EthereumSepolia"
    assert paths(emulator) == ["/auth/action/init", "/auth/action", "/wallets"]


@pytest.mark.parametrize("source", ["text", "file", "standard input"])
def test_body_comes_from_text_file_or_standard_input(
    request_: Command, emulator: Emulator, folder: Path, source: str
) -> None:
    (folder / "body.json").write_text(BODY, encoding="utf-8")
    body = {"text": BODY, "file": f"@{folder / 'body.json'}", "standard input": "-"}[source]

    done = request_("POST", "/wallets", "--json", body, stdin=BODY if body == "-" else "")

    assert done.code == 0
    assert json.loads(emulator.requests[-1].body) == {"network": "EthereumSepolia"}


def test_parameters_are_sent_in_the_query(request_: Command, emulator: Emulator) -> None:
    done = request_("GET", "/wallets", "--param", "limit=2", "--param", "owner=a b=c")

    assert done.code == 0
    assert parse_qs(emulator.requests[-1].query) == {"limit": ["2"], "owner": ["a b=c"]}


def test_method_may_be_lower_case(request_: Command) -> None:
    assert request_("get", "/wallets").code == 0


def test_call_that_awaits_approval_ends_with_8(request_: Command, emulator: Emulator) -> None:
    emulator.require_approval("POST", "/wallets")

    done = request_("POST", "/wallets", "--json", BODY)

    assert done.code == 8
    assert done.json["status"] == "Pending"
    assert "nothing has changed yet" in done.err
    assert done.json["id"] in done.err or done.json["approvalId"] in done.err


def test_refusal_by_the_api_ends_with_6(request_: Command) -> None:
    done = request_("GET", "/wallets/wa-00000-00000-0000000000000000")

    assert (done.code, done.out) == (6, "")
    assert "was answered with 404" in done.err


def test_signed_call_that_is_sent_unsigned_is_refused_by_the_api(
    request_: Command, emulator: Emulator
) -> None:
    done = request_("POST", "/wallets", "--json", BODY, "--unsigned")

    assert done.code == 6
    assert paths(emulator) == ["/wallets"]


def test_read_that_is_signed_on_request_announces_itself(
    request_: Command, emulator: Emulator
) -> None:
    request_("GET", "/wallets", "--signed")

    assert paths(emulator)[:2] == ["/auth/action/init", "/auth/action"]


def test_api_that_does_not_answer_ends_with_7(
    command: Command, folder: Path, key_file: Path
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        config = write_client_config(
            folder, f"http://127.0.0.1:{bound.getsockname()[1]}", "token", "max_attempts = 1"
        )

        done = command("request", "--config", config, "GET", "/wallets")

    assert (done.code, done.out) == (7, "")
    assert "check the network and 'base_url'" in done.err


def test_answer_that_is_no_json_ends_with_7(request_: Command, emulator: Emulator) -> None:
    emulator.fail_next("GET", "/wallets", status=200, body="<html>")

    done = request_("GET", "/wallets")

    assert done.code == 7
    assert "not JSON" in done.err


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("network=x", "the body is not valid JSON"),
        (
            '{"network":"Solana","network":"Bitcoin"}',
            "the body is not valid JSON: the member 'network' is given twice",
        ),
        ('{"daysValid":NaN}', "the body is not valid JSON: NaN is not a JSON value"),
        ("@missing.json", "the body cannot be read from missing.json: No such file"),
        ("@.", "the body cannot be read from .: Is a directory"),
        ("@", "the body cannot be read from"),
        ("@a\0b", "the body cannot be read from"),
        ("-", "standard input is empty"),
    ],
)
def test_body_that_cannot_be_read_ends_with_2_and_nothing_is_sent(
    request_: Command, emulator: Emulator, body: str, reason: str
) -> None:
    done = request_("POST", "/wallets", "--json", body)

    assert done.code == 2
    assert reason in done.err
    assert emulator.requests == ()


@pytest.mark.parametrize(
    "parameters", [["limit"], ["=2"], ["limit=1", "limit=2"]], ids=["no value", "no name", "twice"]
)
def test_parameter_that_is_no_pair_ends_with_2(
    request_: Command, emulator: Emulator, parameters: list[str]
) -> None:
    options = [part for parameter in parameters for part in ("--param", parameter)]

    done = request_("GET", "/wallets", *options)

    assert done.code == 2
    assert "--param" in done.err
    assert emulator.requests == ()


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("POST", "/wallets/wa-1/transfer", "(did you mean POST /wallets/{walletId}/transfers?)"),
        ("get", "/walets", "(did you mean GET /wallets?)"),
    ],
)
def test_unknown_path_is_sent_and_named_with_a_near_miss(
    request_: Command, emulator: Emulator, method: str, path: str, hint: str
) -> None:
    done = request_(method, path)

    assert (done.code, done.out) == (6, "")
    assert paths(emulator)[-1] == path
    assert f"no operation that is known here: {method.upper()} {path} {hint}" in done.err


def test_missing_entity_of_a_known_path_gets_no_hint(request_: Command) -> None:
    assert "known here" not in request_("GET", "/wallets/wa-1").err


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("wallets", "a path begins with '/' (did you mean '/wallets'?)"),
        ("https://api.dfns.io/wallets?limit=1", "expected a path such as /wallets, found a URL"),
        (
            "/wallets/{walletId}/transfers",
            "put an id in the place of {walletId} in /wallets/{walletId}/transfers",
        ),
    ],
)
def test_what_is_typed_in_place_of_a_path_is_refused_with_what_to_type(
    request_: Command, emulator: Emulator, path: str, said: str
) -> None:
    done = request_("GET", path)

    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert paths(emulator) == []
