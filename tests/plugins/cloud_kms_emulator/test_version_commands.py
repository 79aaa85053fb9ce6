"""``cloud-kms-emulator versions`` against an emulator that runs."""

from __future__ import annotations

import re
import shlex

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from cloud_kms_emulator.command_line import main
from dfns_signers_testkit.servers import free_port
from tests.plugins.cloud_kms_emulator.conftest import Client, State
from tests.plugins.gcp_kms.keys import CRYPTO_KEY

PLACE = "--key key --keyring ring --location europe-west1 --project p-1"


def change(cloud_kms: CloudKmsEmulator, action: str, version: str, *place: str) -> int:
    return main(["versions", action, version, *place, "--endpoint", cloud_kms.endpoint])


def test_version_goes_through_its_states_and_each_is_printed(
    cloud_kms: CloudKmsEmulator,
    client: Client,
    version: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = {
        "disable": "DISABLED",
        "enable": "ENABLED",
        "destroy": "DESTROY_SCHEDULED",
        "restore": "DISABLED",
    }

    for action, state in steps.items():
        assert change(cloud_kms, action, version) == 0
        assert client.get_crypto_key_version(name=version).state.name == state
        printed = capsys.readouterr()
        assert printed.out.startswith(f"{version}: {state}")
        assert printed.err == ""


def test_destruction_is_printed_with_its_date(
    cloud_kms: CloudKmsEmulator, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(cloud_kms, "destroy", version)

    pattern = r"DESTROY_SCHEDULED for 20\d\d-\d\d-\d\d \d\d:\d\d UTC\n"
    assert re.fullmatch(f"{version}: {pattern}", capsys.readouterr().out)


def test_number_names_a_version_with_the_flags_of_gcloud(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    assert change(cloud_kms, "disable", "1", *shlex.split(PLACE)) == 0

    assert client.get_crypto_key_version(name=version).state == State.DISABLED


@pytest.mark.parametrize(
    ("action", "version", "said"),
    [
        ("restore", f"{CRYPTO_KEY}/cryptoKeyVersions/1", "current state is: ENABLED"),
        ("disable", f"{CRYPTO_KEY}/cryptoKeyVersions/9", "not found"),
        ("disable", f"{CRYPTO_KEY}", "does not match"),
    ],
)
def test_refusal_is_printed_in_one_line(
    action: str,
    version: str,
    said: str,
    cloud_kms: CloudKmsEmulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cloud_kms.add_version(CRYPTO_KEY, "EC_SIGN_ED25519")

    assert change(cloud_kms, action, version) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"cloud-kms-emulator: cannot {action} the version: ")
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["1"],
        ["1", "--key", "key", "--keyring", "ring"],
        [f"{CRYPTO_KEY}/cryptoKeyVersions/1", "--key", "key"],
        [f"{CRYPTO_KEY}/cryptoKeyVersions/1", *shlex.split(PLACE)],
    ],
)
def test_version_that_is_named_by_halves_or_twice_is_refused(
    words: list[str], cloud_kms: CloudKmsEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change(cloud_kms, "disable", *words) == 2

    assert "give its full name alone, or its number with --key" in capsys.readouterr().err
    assert not cloud_kms.calls


def test_address_without_an_emulator_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with CloudKmsEmulator(port=free_port()) as stopped:
        pass

    assert change(stopped, "disable", f"{CRYPTO_KEY}/cryptoKeyVersions/1") == 1

    assert f"no emulator answers at {stopped.endpoint}" in capsys.readouterr().err


def test_other_services_than_an_emulator_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{CRYPTO_KEY}/cryptoKeyVersions/1"

    assert main(["versions", "disable", name, "--endpoint", "https://example.org"]) == 2

    assert "an emulator is at http://HOST:PORT" in capsys.readouterr().err
