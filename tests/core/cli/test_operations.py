"""``operations``: the operations of the API and what they take, and completion of ``request``."""

from __future__ import annotations

import re

import pytest

from dfns_signers.operations import operations
from tests.core.cli.support import Command, run


def test_all_operations_are_listed(command: Command) -> None:
    done = command("operations")

    assert (done.code, done.err) == (0, "")
    for one in operations():
        assert one.path in done.out
        assert one.name in done.out


def test_list_is_json_for_programs(command: Command) -> None:
    done = command("operations", "--json")

    assert len(done.json) == len(operations())
    assert {
        "method": "POST",
        "path": "/wallets/{walletId}/transfers",
        "signed": True,
        "class": "money",
        "name": "wallets.transfer_asset",
        "idempotent": True,
        "multipart": False,
    } in done.json


def test_words_narrow_the_list_down(command: Command) -> None:
    done = command("operations", "WALLETS", "transfer", "money", "--json")

    assert [row["name"] for row in done.json] == [
        "wallets.transfer_asset",
        "wallets.cancel_transfer",
        "wallets.speed_up_transfer",
    ]


@pytest.mark.parametrize("path", ["/wallets/{walletId}", "/wallets/{id}", "/wallets/wa-1"])
def test_one_operation_is_shown_by_template_or_path(command: Command, path: str) -> None:
    done = command("operations", "put", path)

    assert done.out.startswith("PUT /wallets/{walletId} (wallets.update_wallet): ordinary, signed")


def test_members_of_a_body_are_shown_with_what_is_inside_of_them(command: Command) -> None:
    done = command("operations", "POST", "/wallets")

    rows = [[cell.strip() for cell in line.split("│")] for line in done.out.splitlines()]
    shown = {row[2]: row[3:5] for row in rows if len(row) > 4}
    assert shown["network"][0].endswith("… (133 in all)")
    assert shown["network"][1] == "yes"
    assert shown["signingKey.curve"] == ["ed25519 | secp256k1 | stark", ""]
    assert shown["tags"] == ["array of string", ""]
    assert "carried out once for an externalId" in done.out


def test_shapes_of_a_body_are_told_apart_by_their_tag(command: Command) -> None:
    done = command("operations", "POST", "/wallets/{walletId}/transfers")

    assert "[kind=Native] amount" in done.out
    assert "[kind=Erc20] contract" in done.out


def test_words_narrow_the_members_down(command: Command) -> None:
    shown = command("operations", "POST", "/wallets/{walletId}/transfers", "kind=native", "amount")

    assert "[kind=Native] amount" in shown.out
    assert "kind=Erc20" not in shown.out
    assert "[kind=Native] to" not in shown.out


def test_members_that_are_not_there_are_refused(command: Command) -> None:
    done = command("operations", "POST", "/wallets", "contract")

    assert (done.code, done.out) == (2, "")
    assert "no member of POST /wallets matches contract" in done.err


def test_shapes_of_one_operation_are_json_schema_for_programs(command: Command) -> None:
    done = command("operations", "POST", "/wallets", "--json")

    assert done.json["body"]["required"] == ["network"]
    assert "EthereumSepolia" in done.json["body"]["properties"]["network"]["enum"]
    assert done.json["response"]["type"] == "object"
    assert not {"$ref", "$enum"} & set(done.out.split('"'))


def test_type_that_contains_itself_is_shown_once(command: Command) -> None:
    path = "/networks/{network}/call-function"
    shown = command("operations", "POST", path).out

    assert "abi.inputs[].components " in shown
    assert not re.search(r"components(\[\])?\.", shown)
    assert command("operations", "POST", path, "--json").code == 0


def test_unknown_operation_ends_with_2_and_a_near_miss(command: Command) -> None:
    done = command("operations", "GET", "/wallet/wa-1")

    assert (done.code, done.out) == (2, "")
    assert (
        "no operation matches GET /wallet/wa-1 (did you mean GET /wallets/{walletId}?)" in done.err
    )


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("P", ["POST", "PUT"]),
        ("GET /wallets/wa-1/tran", ["transactions", "transactions/{transactionId}"]),
        ("post /v2/", ["/v2/policies", "/v2/policy-approvals/{approvalId}/decisions"]),
        ("GET /nothing", []),
    ],
)
@pytest.mark.parametrize("name", ["request", "operations"])
def test_methods_and_paths_are_completed(name: str, typed: str, offered: list[str]) -> None:
    words = f"dfns-signers {name} {typed}"

    done = run(
        _DFNS_SIGNERS_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )

    found = done.out.split()
    assert all(any(line.endswith(end) for line in found) for end in offered)
    assert bool(found) == bool(offered)
    assert all(line.startswith(words.rsplit(maxsplit=1)[-1]) for line in found)
