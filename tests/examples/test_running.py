"""The example as ``make example`` runs it."""

from __future__ import annotations

import subprocess
import sys

import httpx

from tests.examples.serving import bound, origin_of


def test_example_prints_where_it_is_and_serves_its_page_there() -> None:
    with bound() as listener:
        origin = origin_of(listener)
    command = [sys.executable, "-m", "examples.delegated_signing", origin.rpartition(":")[2]]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            said = running.stdout.readline()
            with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as http:
                page = http.get(origin)
        finally:
            running.terminate()

    assert origin in said
    assert "Wallets with passkeys" in page.text
