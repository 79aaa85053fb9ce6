"""What was signed is in the logs, as CSV and with its evidence."""

from __future__ import annotations

import csv
import io

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.flows import Json

EVER = "startTime=2000-01-01&endTime=2100-01-01T00:00:00Z"


def rows(caller: Caller, query: str = EVER) -> list[Json]:
    response = caller.get(f"/auth/action/logs?{query}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(response.text)))


def test_log_has_the_evidence_of_what_was_signed(
    emulator: Emulator, caller: Caller, clock: Clock
) -> None:
    challenge = caller.challenge("POST", "/wallets", "{}")
    factor = caller.factor(challenge)
    token = answered(caller.complete(challenge, factor))["userAction"]

    [row] = rows(caller)
    log = answered(caller.get(f"/auth/action/logs/{row['id']}"))

    assert row.items() <= log.items()
    assert (log["action"], log["actionToken"]) == ("POST /wallets", token)
    assert log["userId"] == emulator.user_id
    evidence = log["firstFactorCredential"]
    assert evidence["id"] == "cr-first"
    assertion = factor["credentialAssertion"]
    expected = {name: assertion[name] for name in ("clientData", "signature")}
    assert evidence["assertion"] == {**expected, "authenticatorData": None}


def test_signature_that_was_refused_is_not_in_the_logs(caller: Caller) -> None:
    caller.complete(caller.challenge(), caller.signed_factor(b"{}", b""))

    assert rows(caller) == []


def test_logs_are_those_of_a_time_and_a_user(
    emulator: Emulator, caller: Caller, stranger: Caller, clock: Clock
) -> None:
    caller.user_action("POST", "/wallets")
    clock.now += 86_400
    stranger.user_action("POST", "/keys")
    middle = "2027-01-15T20:00:00Z"  # the clock began at 08:00

    first = rows(caller, f"startTime=2027-01-01&endTime={middle}")
    second = rows(caller, f"startTime={middle}&endTime=2027-02-01")

    assert [row["action"] for row in first + second] == ["POST /wallets", "POST /keys"]
    assert rows(caller, f"{EVER}&userId={emulator.user_id}") == first


@pytest.mark.parametrize("name", ["startTime", "endTime"])
def test_time_that_is_not_a_date_is_refused(caller: Caller, name: str) -> None:
    times = {"startTime": "2026-01-01", "endTime": "2026-01-01", name: "noon"}
    query = "&".join(f"{key}={value}" for key, value in times.items())

    error = refused(caller.get(f"/auth/action/logs?{query}"), 400, "field.value", '"noon"')

    assert error["details"]["field"] == f"query.{name}"


def test_unknown_log_is_not_found(caller: Caller) -> None:
    refused(caller.get("/auth/action/logs/x"), 404, "entity", '"x"')
