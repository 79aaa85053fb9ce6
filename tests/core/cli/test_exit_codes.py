"""Every error ends a command with one message and the documented code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer

from dfns_signers import errors
from dfns_signers.cli.exit_codes import code_of, reports_errors
from dfns_signers.errors import DfnsSignersError

CODES = {
    1: (
        DfnsSignersError,
        errors.EncodingError,
        errors.ListeningError,
        errors.NoPermitError,
        errors.AuditError,
        errors.RegistrationError,
    ),
    2: (errors.RequestError,),
    3: (errors.ConfigurationError, errors.PluginError, errors.TokenProviderError),
    4: (
        errors.SigningKeyError,
        errors.UnsupportedKeyError,
        errors.FingerprintMismatchError,
        errors.KeyNotFoundError,
        errors.KeyAccessError,
        errors.SecretRefusedError,
        errors.KeyStateError,
        errors.KeyStoreUnavailableError,
        errors.KeyStoreThrottledError,
        errors.InvalidSignatureError,
    ),
    5: (
        errors.SigningError,
        errors.ChallengeError,
        errors.CredentialNotAllowedError,
        errors.SigningRefusedError,
        errors.PolicyRefusedError,
        errors.SigningCancelledError,
    ),
    6: (
        errors.ApiError,
        errors.BadRequestError,
        errors.AuthenticationError,
        errors.PermissionDeniedError,
        errors.NotFoundError,
        errors.ConflictError,
        errors.RateLimitedError,
        errors.RequestTimeoutError,
        errors.ServerError,
    ),
    7: (
        errors.CallError,
        errors.TransportError,
        errors.TransportTimeoutError,
        errors.UnexpectedResponseError,
    ),
    8: (errors.ApprovalRequiredError,),
}
DOCUMENTED = [(kind, code) for code, kinds in CODES.items() for kind in kinds]


def family(kind: type[DfnsSignersError]) -> Iterator[type[DfnsSignersError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize(("kind", "code"), DOCUMENTED)
def test_error_ends_with_the_documented_code_and_its_message(
    kind: type[DfnsSignersError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @reports_errors
    def command() -> None:
        raise kind("the key [/x] is away")

    with pytest.raises(typer.Exit) as ended:
        command()

    said = capsys.readouterr()
    assert ended.value.exit_code == code
    assert said.out == ""
    assert said.err.startswith("error: the key [/x] is away")
    assert said.err.count("\n") == 1


def test_control_characters_that_an_error_quotes_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @reports_errors
    def command() -> None:
        raise errors.ApiError("said \x1b[2J\r\u202e and\nmore")

    with pytest.raises(typer.Exit):
        command()

    assert capsys.readouterr().err == "error: said \\x1b[2J\\r\\u202e and\nmore\n"


def test_every_error_of_the_package_is_in_the_table() -> None:
    ours = {kind for kind in family(DfnsSignersError) if kind.__module__ == errors.__name__}

    assert ours == {kind for kind, _ in DOCUMENTED}


def test_error_of_a_plugin_has_the_code_of_its_nearest_kin() -> None:
    class HsmOfflineError(errors.KeyStoreUnavailableError):
        pass

    assert code_of(HsmOfflineError("away")) == 4


def test_interrupted_command_ends_with_130_and_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @reports_errors
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        command()

    assert ended.value.exit_code == 130
    assert capsys.readouterr() == ("", "")
