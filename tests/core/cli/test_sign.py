"""``sign``: a challenge on standard input, an assertion on standard output."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.core.cli.support import Command, run
from tests.core.config.support import write_config, write_key
from tests.core.keys import ALGORITHMS, is_signature, public_key

CHALLENGE = json.dumps({"challenge": "Y2gt", "challengeIdentifier": "eyJ0"})


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_challenge_is_answered_with_a_valid_assertion(
    command: Command, folder: Path, algorithm: str
) -> None:
    write_key(folder, algorithm=algorithm)
    config = write_config(
        folder, "[profiles.p]\ncredential_id = 'Y2kt'\nsigner = 'pem:?path=key.pem'"
    )

    done = command("sign", "--config", config, "--profile", "p", stdin=CHALLENGE)

    assert (done.code, done.err) == (0, "")
    inner = done.json["credentialAssertion"]
    assert (done.json["kind"], inner["credId"]) == ("Key", "Y2kt")
    signed = decoded(inner["clientData"])
    assert json.loads(signed) == {"type": "key.get", "challenge": "Y2gt"}
    assert is_signature(public_key(algorithm), signed, decoded(inner["signature"]))


def test_script_signs_by_environment_alone(key_file: Path) -> None:
    done = run(
        "sign",
        stdin=CHALLENGE.encode(),
        DFNS_CREDENTIAL_ID="Y2kt",
        DFNS_SIGNER=f"pem:?path={key_file}",
    )

    assert (done.code, done.err) == (0, "")
    assert done.json["credentialAssertion"]["credId"] == "Y2kt"


def test_challenge_that_does_not_allow_the_credential_refused(
    command: Command, client_config: Path
) -> None:
    challenge = {"challenge": "Y2gt", "allowCredentials": {"key": [{"id": "other"}]}}

    done = command("sign", "--config", client_config, stdin=json.dumps(challenge))

    assert (done.code, done.out) == (5, "")
    assert "does not allow the credential 'Y2kt'" in done.err
    assert "'other'" in done.err


@pytest.mark.parametrize(
    ("stdin", "code", "reason"),
    [
        (b"", 2, "standard input is empty: expected the challenge as JSON"),
        (b" \n", 2, "standard input is empty"),
        (b"challenge", 2, "the challenge on standard input is not valid JSON"),
        (b'{"challenge": ', 2, "the challenge on standard input is not valid JSON"),
        (b"\xff\xfe", 2, "the challenge on standard input is not UTF-8 text"),
        (b"[" * 100_000, 2, "the challenge on standard input is"),
        (b"1" * 5_000, 2, "the challenge on standard input is not valid JSON"),
        (b"[]", 5, "expected a challenge object, found list"),
        (b"null", 5, "expected a challenge object, found NoneType"),
        (b"{}", 5, "no 'challenge' string"),
        (b'{"challenge": "\\ud800"}', 2, "a lone surrogate"),
        (b'{"challenge": "a", "challenge": "b"}', 2, "the member 'challenge' is given twice"),
        (
            b'{"challenge": "a", "attestation": "direct", "pubKeyCredParams": [], "user": {}}',
            5,
            "dfns_signers.registration.attest answers it",
        ),
    ],
)
def test_standard_input_that_is_no_challenge_refused_without_a_traceback(
    command: Command, client_config: Path, stdin: bytes, code: int, reason: str
) -> None:
    done = command("sign", "--config", client_config, stdin=stdin)

    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("error: ")
    assert reason in done.err
    assert "Traceback" not in done.err


def test_bytes_that_are_no_text_refused_whatever_the_encoding_of_standard_input(
    client_config: Path,
) -> None:
    for encoding in ("utf-8", "latin-1", "ascii"):
        done = run("sign", "--config", client_config, stdin=b"\xff", PYTHONIOENCODING=encoding)

        assert done.code == 2
        assert done.err == "error: the challenge on standard input is not UTF-8 text\n"
