"""The pages of the emulator name every operation and every check; each check refuses a request."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from inspect import signature
from typing import get_args

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.access.permissions import FULL_ACCESS
from dfns_signers.emulator.access.required_permissions import required_permission
from dfns_signers.emulator.exchanges.request_log import KEPT_BYTES, KEPT_REQUESTS
from dfns_signers.emulator.requests.messages import CheckName
from dfns_signers.emulator.resources import build_router
from dfns_signers.operations import Operation, operations
from tests.emulator import operations_page
from tests.emulator.caller import Caller, refused
from tests.emulator.conftest import Clock
from tests.emulator.refusals import CASES, Case
from tests.emulator.spoiled import World
from tests.support.pages import DOCS, section, tables

GUIDE, REFUSALS, OPERATIONS = (
    (DOCS / page).read_text("utf-8")
    for page in ("emulator.md", "emulator-refusals.md", "emulator-operations.md")
)
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| [^|]+ \| ([0-9]{3}) \| ([^|]+) \|[^|]+\|$", re.MULTILINE)

# (section, check, status), once for each row that names the check
DOCUMENTED = [
    (section.replace("`", ""), check, int(status))
    for section, text in SECTION.findall(REFUSALS)
    for status, checks in ROW.findall(text)
    for check in re.findall(r"`([^`]+)`", checks)
]
STATUS = {(section, check): status for section, check, status in DOCUMENTED}

# What the Dfns docs say in these cases; messages begin with it.
WORDINGS = {
    "user token is missing or invalid": (
        "token.missing token.malformed token.unknown token.deactivated token.expired token.purpose"
    ),
    "Not Authorized.": (
        "token.user secondFactor.missing secondFactor.same password otpCode code"
        " user.unregistered authenticatorData.rpId authenticatorData.userPresent"
        " authenticatorData.userVerified authenticatorData.backup authenticatorData.counter"
    ),
    "Conflicting wallet with same externalId": "externalId",
    "Challenge token is not valid.": (
        "challenge.unknown challenge.expired challenge.used challenge.foreign"
    ),
    "User does not have a credential": (
        "credential.unknown credential.foreign credential.disabled"
    ),
    "user action signature is missing or invalid": (
        "userAction.missing userAction.repeated userAction.unknown userAction.expired"
        " userAction.foreign userAction.method userAction.path userAction.payload"
    ),
    "user action has already been used": "userAction.used",
}
WORDING = {check: words for words, checks in WORDINGS.items() for check in checks.split()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section}-{case.check}")
def test_request_is_refused_by_the_check_that_the_page_names(
    emulator: Emulator, caller: Caller, stranger: Caller, clock: Clock, case: Case
) -> None:
    response = case.request(World(emulator, caller, stranger, clock))

    error = refused(response, STATUS[case.section, case.check], case.check)
    assert error["message"].startswith(WORDING.get(case.check, ""))


def test_every_row_of_the_page_has_a_case_for_each_of_its_checks() -> None:
    documented = Counter((section, check) for section, check, _ in DOCUMENTED)

    assert documented == Counter((case.section, case.check) for case in CASES)


def test_every_check_of_the_emulator_is_on_the_page() -> None:
    assert {check for _, check, _ in DOCUMENTED} == set(get_args(CheckName))


def test_every_argument_of_an_emulator_is_on_the_page() -> None:
    arguments, _ = tables(section("emulator.md", "In Python"))

    assert set(named_in(arguments)) == signature(Emulator).parameters.keys()


def test_every_member_of_an_emulator_is_on_the_page() -> None:
    members = named_in(tables(section("emulator.md", "In Python"))[1])

    public = {name for name in dir(Emulator) if not name.startswith("_")}
    # An argument may be changed later, and a name of old goes on working.
    assert set(members) == public - {"exact_payloads", "enrol"}


def named_in(table: list[str]) -> list[str]:
    """What the first column of each row names."""
    columns = [row.split(" | ")[0] for row in table]
    return [name for column in columns for name in re.findall(r"`([a-z_]+)", column)]


def test_bounds_of_the_requests_that_are_kept_are_on_the_page() -> None:
    assert f"the last {KEPT_REQUESTS:,} requests or {KEPT_BYTES >> 20} MiB of them" in GUIDE


def test_id_of_the_permission_for_everything_is_on_the_page() -> None:
    assert f"under the id `{FULL_ACCESS}`" in GUIDE


def test_operations_without_a_permission_are_on_the_page() -> None:
    patterns = (
        OPERATIONS.partition("None is required where")[2].split("```")[1].strip().splitlines()
    )
    free = {str(one): required_permission(one) is None for one in operations()}

    for pattern in patterns:
        meant = [name for name in free if fnmatchcase(name, pattern)]
        assert meant, pattern
        assert all(free[name] for name in meant), pattern
    listed = {name for name in free if any(fnmatchcase(name, pattern) for pattern in patterns)}
    assert listed == {name for name, is_free in free.items() if is_free}


def test_table_of_operations_is_that_of_the_emulator() -> None:
    assert operations_page.page_with_table(OPERATIONS) == OPERATIONS, (
        "python -m tests.emulator.operations_page writes it"
    )


def test_every_operation_is_answered() -> None:
    assert {route.operation for route in build_router().routes} == set(operations())


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_signed_operations_alone_require_a_user_action(
    caller: Caller, operation: Operation
) -> None:
    response = caller.send(operation.method, re.sub(r"\{[^}]+\}", "x", operation.path))

    if operation.signed:
        refused(response, 403, "userAction.missing")
    else:
        assert response.status_code in {200, 400, 401, 404}


def test_operation_that_anybody_may_call_is_not_signed() -> None:
    opened = [route for route in build_router().routes if route.access != "token"]

    assert len(opened) > 10
    assert not [route.template for route in opened if route.takes_user_action]
