from __future__ import annotations

import io
import sys

import pytest

from dfns_signers.cli import main
from tests.core.cli.support import Command, Outcome
from tests.core.config.machine import (
    client_config,
    emulator,
    folder,
    home,
    key_file,
    site,
    working_folder,
)

__all__ = ["client_config", "emulator", "folder", "home", "key_file", "site", "working_folder"]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the console script's function within the test, as a shell would run the script."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, stdin: str | bytes = b"") -> Outcome:
        data = stdin.encode("utf-8") if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["dfns-signers", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return run
