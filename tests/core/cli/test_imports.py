"""What a command imports: nothing that it does not use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.keys import private_key, private_pem

NETWORK = {"anyio", "asyncio", "dfns_signers.client", "httpx", "httpcore"}
UNCONFIGURED = {"dfns_signers.audit.trail", "dfns_signers.config.guard"}
SIGNING = {"cryptography", "dfns_signers.signer", "pluggy"}
OPTIONAL = {"rich", "starlette", "tomlkit", "uvicorn"}


def modules_of(words: list[str], **variables: str) -> set[str]:
    """What a process has imported at the end of a command."""
    code = (
        f"import json, sys; sys.argv = ['dfns-signers', *{words!r}]\n"
        "from dfns_signers.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        "finally: print(); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input='{"challenge": "Y2g"}',
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, **variables},
        timeout=60,
    )
    modules: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(modules)


def test_version_imports_neither_what_signs_nor_what_calls_nor_what_prints_tables() -> None:
    assert not modules_of(["--version"]) & (NETWORK | SIGNING | OPTIONAL | {"pydantic"})


@pytest.mark.parametrize("group", [[], ["keys"], ["config"], ["gateway"]], ids=" ".join)
def test_help_of_a_group_imports_neither_what_signs_nor_what_calls(group: list[str]) -> None:
    assert not modules_of([*group, "--help"]) & (NETWORK | SIGNING)


def test_signing_imports_neither_what_calls_nor_what_prints_tables(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(private_pem(private_key("ES256")))
    key.chmod(0o600)

    loaded = modules_of(
        ["sign"],
        DFNS_SIGNER=f"pem:?path={key}",
        DFNS_CREDENTIAL_ID="cr-1",
        XDG_CONFIG_HOME=str(tmp_path),
    )

    assert loaded >= SIGNING
    assert not loaded & (NETWORK | OPTIONAL | UNCONFIGURED)
