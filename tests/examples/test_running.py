"""The example as ``make example`` runs it."""

from __future__ import annotations

import subprocess
import sys

import httpx

from dfns_signers_testkit.servers import free_port


def test_example_prints_where_it_is_and_serves_its_page_there() -> None:
    port = free_port()
    command = [sys.executable, "-m", "examples.delegated_signing", str(port)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            said = running.stdout.readline()
            with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as http:
                page = http.get(f"http://localhost:{port}")
        finally:
            running.terminate()

    assert f"http://localhost:{port}" in said
    assert "Wallets with passkeys" in page.text
