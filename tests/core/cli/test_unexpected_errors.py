"""What no command expects ends it with one line, and with a traceback only for who asks."""

from __future__ import annotations

import pytest

from dfns_signers.cli import signing
from tests.core.cli.support import Command


def failing(error: Exception) -> object:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_unexpected_error_is_told_in_one_line_with_the_way_to_its_traceback(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "load_signer", failing(LookupError("no\n  such thing")))

    done = command("sign")

    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: unexpected LookupError: no such thing. Please report it; set "
        "DFNS_SIGNERS_TRACEBACK=1 to see where it comes from\n"
    )


def test_unexpected_error_comes_with_its_traceback_where_that_is_asked_for(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "load_signer", failing(LookupError("no such thing")))
    monkeypatch.setenv("DFNS_SIGNERS_TRACEBACK", "1")

    done = command("sign")

    assert done.code == 1
    assert done.err.startswith("Traceback (most recent call last):")
    assert "in fail" in done.err
    assert done.err.endswith("error: unexpected LookupError: no such thing. Please report it\n")


def test_control_characters_in_a_traceback_do_not_reach_the_terminal(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "load_signer", failing(LookupError("said \x1b[2J")))
    monkeypatch.setenv("DFNS_SIGNERS_TRACEBACK", "1")

    done = command("sign")

    assert "\x1b" not in done.err
    assert "LookupError: said \\x1b[2J" in done.err


def test_refusal_by_the_system_is_not_to_be_reported(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "load_signer", failing(OSError(28, "No space left on device")))

    done = command("sign")

    assert done.code == 1
    assert "No space left on device" in done.err
    assert "report" not in done.err


def test_error_of_ours_has_no_traceback_though_one_is_asked_for(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_SIGNERS_TRACEBACK", "1")

    done = command("sign")

    assert done.code == 3
    assert "Traceback" not in done.err
