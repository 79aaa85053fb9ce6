"""https: with verification on, for every name of this machine, by an authority of the moment."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered
from tests.emulator.keys import pem, private_key

KEY = private_key("ed25519")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(tls=True, credentials={"cr-1": pem(KEY)}) as running:
        yield running


def trusting(emulator: Emulator) -> httpx.Client:
    context = ssl.create_default_context(cafile=emulator.settings["ca_file"])
    return httpx.Client(verify=context, trust_env=False, timeout=10)


def get(client: httpx.Client, emulator: Emulator, host: str = "127.0.0.1") -> httpx.Response:
    port = urlsplit(emulator.url).port
    headers = {"Authorization": f"Bearer {emulator.auth_token}"}
    return client.get(f"https://{host}:{port}/wallets", headers=headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_client_that_trusts_the_authority_is_answered(emulator: Emulator, host: str) -> None:
    with trusting(emulator) as client:
        assert answered(get(client, emulator, host)) == {"items": []}
    assert emulator.url.startswith("https://127.0.0.1:")


def test_ipv6_address_of_this_machine_is_certified() -> None:
    with Emulator("::1", tls=True) as emulator, trusting(emulator) as client:
        assert emulator.url.startswith("https://[::1]:")
        assert answered(get(client, emulator, "[::1]")) == {"items": []}


def test_whole_signed_call_works(emulator: Emulator) -> None:
    with Caller(emulator.url, emulator.auth_token, "cr-1", KEY) as caller:
        caller.http.close()
        caller.http = httpx.Client(
            base_url=emulator.url,
            verify=ssl.create_default_context(cafile=emulator.ca_file),
            trust_env=False,
        )
        assert caller.create("/wallets", {"network": "Base"})["network"] == "Base"


def test_client_that_does_not_trust_it_refuses(emulator: Emulator) -> None:
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        pytest.raises(httpx.ConnectError, match="certificate verify failed"),
    ):
        get(client, emulator)
    with trusting(emulator) as client:
        assert get(client, emulator).status_code == 200


def test_authority_of_another_emulator_is_not_trusted(emulator: Emulator) -> None:
    with (
        Emulator(tls=True) as other,
        trusting(other) as client,
        pytest.raises(httpx.ConnectError, match="certificate verify failed"),
    ):
        get(client, emulator)


def test_certificate_is_refused_for_another_name(emulator: Emulator) -> None:
    context = ssl.create_default_context(cafile=emulator.ca_file)
    extensions = {"sni_hostname": "api.dfns.io"}

    with (
        httpx.Client(verify=context, trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match="Hostname mismatch"),
    ):
        client.get(emulator.url, extensions=extensions)


def test_http_is_not_spoken_on_its_port(emulator: Emulator) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(emulator.url.replace("https", "http"), trust_env=False)


def test_program_that_is_given_the_authority_by_the_environment_is_answered(
    emulator: Emulator,
) -> None:
    program = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).status)"

    done = subprocess.run(
        [sys.executable, "-c", program, f"{emulator.url}/_emulator"],
        env={**os.environ, "SSL_CERT_FILE": str(emulator.ca_file)},
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.strip() == b"200"


def test_folder_of_the_authority_is_private_and_has_no_private_key() -> None:
    with Emulator(tls=True) as emulator:
        assert emulator.ca_file is not None
        folder = emulator.ca_file.parent

        assert folder.stat().st_mode & 0o077 == 0
        assert [path.name for path in folder.iterdir()] == ["ca.pem"]
        assert b"PRIVATE" not in emulator.ca_file.read_bytes()
        assert emulator.ca_file.read_bytes().count(b"BEGIN CERTIFICATE") == 1

    assert not folder.exists()


def test_certificates_are_those_of_a_server_and_of_an_authority_for_nothing_below_it(
    emulator: Emulator,
) -> None:
    parts = urlsplit(emulator.url)
    served = ssl.get_server_certificate((str(parts.hostname), int(parts.port or 0)))
    leaf = x509.load_pem_x509_certificate(served.encode())
    authority = x509.load_pem_x509_certificate(Path(emulator.settings["ca_file"]).read_bytes())

    leaf.verify_directly_issued_by(authority)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in usage
    # Apple's platforms refuse longer ones.
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 398
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)


def test_emulator_without_tls_names_no_authority() -> None:
    with Emulator() as emulator:
        assert emulator.ca_file is None
        assert "ca_file" not in emulator.settings
        assert emulator.url.startswith("http://")
