"""What is said when creating or listing keys does not work, and what was done by then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import (
    KeyAccessError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    SigningKeyError,
)
from dfns_signers_aws_kms.creation import create_key
from dfns_signers_aws_kms.management import list_keys
from dfns_signers_aws_kms.options import AwsKmsCreate, AwsKmsList
from dfns_signers_testkit.servers import free_port
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble, altered, answer, lost, refuse
from tests.support.clock import Clock

DENIED = refuse("AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized")
UNKNOWN = refuse("NotFoundException", "Key does not exist")


def at(double: KmsDouble, **options: Any) -> dict[str, Any]:
    return {"region": REGION, "endpoint_url": double.url, "max_attempts": 1, **options}


def create(double: KmsDouble, clock: Clock | None = None, **options: Any) -> Any:
    time = clock or Clock()
    created = AwsKmsCreate(**at(double, **options))
    return create_key(Algorithm.ES256, created, sleep=time.sleep, clock=time)


def test_create_sends_nothing_that_was_not_asked_for(double: KmsDouble) -> None:
    create(double)

    assert double.members("CreateKey") == [
        {
            "KeySpec": "ECC_NIST_P256",
            "KeyUsage": "SIGN_VERIFY",
            "Description": "",
            "MultiRegion": False,
            "Tags": [],
        }
    ]
    assert double.members("CreateAlias") == []


def test_create_that_is_denied_names_the_action(double: KmsDouble) -> None:
    double.fail("CreateKey", DENIED)

    with pytest.raises(KeyAccessError, match="allow kms:CreateKey to these credentials"):
        create(double)


def test_alias_is_created_also_where_it_may_not_be_looked_for(double: KmsDouble) -> None:
    double.fail("DescribeKey", DENIED)

    made = create(double, alias="alias/dfns")

    assert double.aliases["alias/dfns"] == made.reference


def test_failure_to_look_for_the_alias_creates_nothing(double: KmsDouble) -> None:
    double.fail("DescribeKey", refuse("ThrottlingException", "Rate exceeded"))

    with pytest.raises(KeyStoreThrottledError, match="cannot look for the alias alias/dfns"):
        create(double, alias="alias/dfns")

    assert double.keys == {}


def test_key_whose_alias_is_denied_is_named_so_that_it_can_be_given_one(double: KmsDouble) -> None:
    double.fail("CreateAlias", DENIED)

    with pytest.raises(KeyAccessError) as caught:
        create(double, alias="alias/dfns")

    (arn,) = double.keys
    assert f"the key {arn} was created, and then: cannot give the key" in str(caught.value)
    assert "allow kms:CreateAlias" in str(caught.value)


@pytest.mark.parametrize(
    "fault", [lost, refuse("KMSInternalException", "oops", 500), answer(b"{}")]
)
def test_key_that_may_exist_is_reported_and_none_is_created_after_it(
    double: KmsDouble, fault: Fault
) -> None:
    double.fail("CreateKey", fault)

    with pytest.raises(SigningKeyError, match=r"a key may have been created; see .*list") as e:
        create(double, max_attempts=3)

    assert not e.value.retriable
    assert len(double.members("CreateKey")) == 1


def test_throttled_request_for_a_key_created_none(double: KmsDouble) -> None:
    double.fail("CreateKey", refuse("ThrottlingException", "Rate exceeded"))

    with pytest.raises(KeyStoreThrottledError, match="cannot create a key") as caught:
        create(double, max_attempts=3)

    assert "may have been created" not in str(caught.value)
    assert len(double.members("CreateKey")) == 1


def test_request_for_a_key_that_was_never_sent_can_be_made_again() -> None:
    options = AwsKmsCreate(region=REGION, endpoint_url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(KeyStoreUnavailableError) as caught:
        create_key(Algorithm.ES256, options)

    assert "may have been created" not in str(caught.value)


def test_alias_whose_first_answer_was_lost_is_that_of_the_new_key(double: KmsDouble) -> None:
    double.fail("CreateAlias", lost)

    made = create(double, alias="alias/dfns", max_attempts=2)

    assert len(double.members("CreateAlias")) == 2
    assert made.names == ("alias/dfns",)
    assert double.aliases == {"alias/dfns": made.reference}


def test_alias_that_another_key_got_meanwhile_is_refused(double: KmsDouble) -> None:
    def overtaken(carry_out: Any) -> Any:
        double.add("ECC_NIST_P256", alias="alias/dfns")
        return carry_out()

    double.fail("CreateAlias", overtaken)

    with pytest.raises(SigningKeyError, match="choose another alias"):
        create(double, alias="alias/dfns")


def test_alias_taken_by_another_caller_meanwhile_is_reported(double: KmsDouble) -> None:
    double.fail("CreateAlias", refuse("AlreadyExistsException", "An alias with the name exists"))

    with pytest.raises(SigningKeyError, match="choose another alias, or use the key that has it"):
        create(double, alias="alias/dfns")


def test_create_waits_for_a_key_that_is_not_known_everywhere_yet(double: KmsDouble) -> None:
    clock = Clock()
    double.fail("DescribeKey", UNKNOWN, UNKNOWN)

    made = create(double, clock)

    assert made.state == "Enabled"
    assert clock.pauses == [1.0, 1.0]


def test_create_waits_for_a_key_that_is_still_being_created(double: KmsDouble) -> None:
    clock = Clock()
    double.fail("DescribeKey", altered(KeyMetadata={"KeyState": "Creating"}))

    assert create(double, clock).state == "Enabled"
    assert clock.pauses == [1.0]


def test_create_gives_up_waiting_after_a_minute_and_names_the_key(double: KmsDouble) -> None:
    clock = Clock()
    double.fail("DescribeKey", *[UNKNOWN] * 61)

    with pytest.raises(KeyStateError, match="was created, and then: its state was still unknown"):
        create(double, clock)

    assert sum(clock.pauses) == 60


def test_create_that_may_not_read_the_state_names_the_key_and_the_action(
    double: KmsDouble,
) -> None:
    double.fail("DescribeKey", DENIED)

    with pytest.raises(KeyAccessError, match=r"was created, and then: .*allow kms:DescribeKey"):
        create(double)


def test_signer_table_carries_how_aws_is_reached_and_the_arn_says_the_region(
    double: KmsDouble,
) -> None:
    made = create(double, read_timeout=4.0, alias="alias/dfns")

    assert made.signer == {
        "backend": "aws-kms",
        "key_id": made.reference,
        "endpoint_url": double.url,
        "max_attempts": 1,
        "read_timeout": 4.0,
    }


def test_list_reads_every_page_and_leaves_out_what_may_not_be_read(double: KmsDouble) -> None:
    first, hidden, last = (double.add("ECC_NIST_P256", alias=f"alias/{n}") for n in range(3))
    described: list[str] = []

    def only_visible(carry_out: Any) -> Any:
        described.append("one")
        return DENIED(carry_out) if len(described) == 2 else carry_out()

    double.fail("DescribeKey", *[only_visible] * 3)

    found = {one.reference: one.names for one in list_keys(AwsKmsList(**at(double)))}

    assert found == {first: ("alias/0",), last: ("alias/2",)}
    assert hidden not in found


@pytest.mark.parametrize("operation", ["ListKeys", "ListAliases", "DescribeKey"])
def test_list_goes_on_after_a_failure_that_passes(double: KmsDouble, operation: str) -> None:
    arns = [double.add("ECC_NIST_P256", alias=f"alias/{n}") for n in range(2)]
    double.fail(operation, refuse("ThrottlingException", "Rate exceeded"))

    found = list(list_keys(AwsKmsList(**at(double, max_attempts=2))))

    assert [one.reference for one in found] == arns


@pytest.mark.parametrize("operation", ["ListKeys", "ListAliases"])
def test_list_that_is_denied_names_the_action(double: KmsDouble, operation: str) -> None:
    double.fail(operation, DENIED)

    with pytest.raises(KeyAccessError, match=f"allow kms:{operation} to these credentials"):
        list(list_keys(AwsKmsList(**at(double))))


def test_list_stops_at_a_failure_that_is_no_denial(double: KmsDouble) -> None:
    double.add("ECC_NIST_P256")
    double.fail("DescribeKey", refuse("ThrottlingException", "Rate exceeded"))

    with pytest.raises(KeyStoreThrottledError, match="cannot list the keys in AWS KMS"):
        list(list_keys(AwsKmsList(**at(double))))


@pytest.mark.parametrize("operation", ["ListKeys", "ListAliases"])
def test_list_ends_where_empty_pages_do_not(double: KmsDouble, operation: str) -> None:
    member = operation.removeprefix("List")
    page = json.dumps({member: [], "NextMarker": "more", "Truncated": True}).encode()
    double.fail(operation, *[answer(page)] * 200)

    with pytest.raises(SigningKeyError, match="pages were empty, one after the other"):
        list(list_keys(AwsKmsList(**at(double))))


def test_list_goes_on_after_an_empty_page(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P256")
    page = json.dumps({"Keys": [], "NextMarker": "0", "Truncated": True}).encode()
    double.fail("ListKeys", *[answer(page)] * 3)

    assert [key.reference for key in list_keys(AwsKmsList(**at(double)))] == [arn]


def test_created_key_whose_name_cannot_be_read_may_exist(double: KmsDouble) -> None:
    double.fail("CreateKey", answer(b'{"KeyMetadata": {"Arn": "not an ARN"}}'))

    with pytest.raises(SigningKeyError, match="a key may have been created"):
        create(double)
