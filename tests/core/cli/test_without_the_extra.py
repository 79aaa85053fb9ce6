"""The command where what the extra ``cli`` brings is not installed."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def run_without(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    code = textwrap.dedent(
        f"""
        import sys
        sys.modules[{module!r}] = None
        sys.argv = ["dfns-signers", *{words!r}]
        from dfns_signers.cli import main
        main()
        """
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("module", ["typer", "rich", "tomlkit"])
def test_command_says_in_one_line_what_to_install_and_ends_with_3(module: str) -> None:
    done = run_without(module, "--version")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"error: the command line needs {module}, which is not installed; run: "
        'pip install "dfns-signers[cli]", or in a clone of the repository: pip install ".[cli]"\n'
    )


def test_module_of_our_own_that_is_missing_is_not_blamed_on_the_extra() -> None:
    done = run_without("dfns_signers.signer", "sign")

    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr
