"""Keys from Python: created or adopted, listed and shown, each with a complete profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import load_signer
from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.diagnosis import DiagnosesKeys, Finding, Policy, Severity
from dfns_signers.backends.management import KeyDescription
from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.errors import ConfigurationError, SigningKeyError, UnsupportedKeyError
from dfns_signers.lifecycle import KeyProfile, create_key, list_keys, show_key
from dfns_signers.lifecycle.key_profiles import profile_name
from tests.core.config.support import write_config, write_key
from tests.secrecy import CANARY
from tests.support.local_variables import leaks_of


def create(path: Path, algorithm: Algorithm = Algorithm.ES256, **more: Any) -> KeyProfile:
    return create_key(algorithm, backend="pem", options={"path": str(path)}, **more)


def test_created_key_signs_by_its_written_profile(tmp_path: Path) -> None:
    created = create(tmp_path / "key.pem", name="p")

    file = created.write(tmp_path / "config.toml")

    with load_signer("p", config=file, credential_id="c") as signer:
        assert signer.key.reference == created.description.reference


def test_created_key_is_not_made_again_when_it_is_adopted(tmp_path: Path) -> None:
    first = create(tmp_path / "key.pem", adopt=True)
    content = (tmp_path / "key.pem").read_bytes()

    again = create(tmp_path / "key.pem", adopt=True)

    assert again.description == first.description
    assert (tmp_path / "key.pem").read_bytes() == content


def test_existing_key_is_refused_unless_it_is_to_be_adopted(tmp_path: Path) -> None:
    create(tmp_path / "key.pem")

    with pytest.raises(SigningKeyError, match="exists already"):
        create(tmp_path / "key.pem")


def test_key_of_another_algorithm_is_not_adopted(tmp_path: Path) -> None:
    create(tmp_path / "key.pem")

    with pytest.raises(UnsupportedKeyError, match=r"signs with ES256 .* not with Ed25519"):
        create(tmp_path / "key.pem", Algorithm.ED25519, adopt=True)


def test_keys_are_listed_where_the_profile_is(tmp_path: Path) -> None:
    created = create(tmp_path / "key.pem", name="p")
    config = created.write(tmp_path / "config.toml")

    assert list(list_keys(profile="p", config=config)) == [created.description]


def test_shown_key_has_the_fingerprint_that_signing_pins(tmp_path: Path) -> None:
    key = write_key(tmp_path)

    shown = show_key(backend="pem", options={"path": key})

    table = {**shown.description.signer, "fingerprint": shown.fingerprint}
    with load_signer(credential_id="c", signer=table) as signer:
        assert signer.key.fingerprint == shown.fingerprint


def test_pin_of_the_profile_does_not_go_to_a_created_key(tmp_path: Path) -> None:
    pin = show_key(backend="pem", options={"path": write_key(tmp_path)}).fingerprint
    config = write_config(
        tmp_path,
        f'[profiles.p.signer]\nbackend = "pem"\npath = "key.pem"\nfingerprint = "{pin}"\n',
    )

    created = create_key(
        Algorithm.ES256, profile="p", config=config, options={"path": str(tmp_path / "new.pem")}
    )

    assert created.description.signer == {"backend": "pem", "path": str(tmp_path / "new.pem")}


class DiagnosedPem(PemBackend, DiagnosesKeys[PemOptions]):
    def diagnose(self, options: PemOptions) -> Iterator[Finding]:
        yield Finding("key store", Severity.OK, "the disk")
        yield Finding("key state", Severity.OK, "as good as new")
        raise AssertionError("asked for more than the state")

    def policy(self, options: PemOptions) -> Policy:
        raise AssertionError("not asked for")


def test_state_is_that_which_the_backend_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfns_signers.lifecycle.keys.load_backend", lambda _: DiagnosedPem())

    shown = show_key(backend="pem", options={"path": write_key(tmp_path)})

    assert shown.description.state == "as good as new"


@pytest.mark.parametrize(
    ("names", "reference", "name"),
    [
        (("alias/dfns-production",), "arn:aws:kms:eu-west-1:1:key/1234", "b-dfns-production"),
        ((), "arn:aws:kms:eu-west-1:111122223333:key/12-34", "b-12-34"),
        ((), "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3", "b-k-3"),
        ((), "transit/team.key at https://vault.example:8200", "b-team-key"),
        ((), "ünusual name", "b-nusual-name"),
    ],
)
def test_profile_without_a_name_is_called_after_backend_and_key(
    names: tuple[str, ...], reference: str, name: str
) -> None:
    description = KeyDescription(reference, Algorithm.ES256, "kind", "state", names)

    assert profile_name("b", description) == name


def _create_existing(folder: Path) -> object:
    return create_key(Algorithm.ES256, backend="pem", options=_options(folder / "key.pem"))


def _create_with_an_unknown_option(folder: Path) -> object:
    return create_key(
        Algorithm.ES256, backend="pem", options={**_options(folder / "new.pem"), "x": CANARY}
    )


def _list_nowhere(folder: Path) -> object:
    options = {"folder": str(folder / "absent"), "passphrase": CANARY}
    return list(list_keys(backend="pem", options=options))


def _show_with_a_wrong_passphrase(folder: Path) -> object:
    return show_key(backend="pem", options=_options(folder / "key.pem"))


def _write_over_another_key(folder: Path) -> object:
    table = f'[profiles.p.signer]\nbackend = "pem"\nenv = "X"\npassphrase = "{CANARY}"\n'
    config = write_config(folder, table)
    created = create_key(
        Algorithm.ES256, backend="pem", options=_options(folder / "new.pem"), name="p"
    )
    return created.write(config)


def _options(path: Path) -> Mapping[str, Any]:
    return {"path": str(path), "passphrase": CANARY}


@pytest.mark.parametrize(
    "fail",
    [
        _create_existing,
        _create_with_an_unknown_option,
        _list_nowhere,
        _show_with_a_wrong_passphrase,
        _write_over_another_key,
    ],
)
def test_no_error_leaves_with_a_secret_in_a_local_variable(
    tmp_path: Path, fail: Callable[[Path], object]
) -> None:
    write_key(tmp_path)

    assert leaks_of(lambda: fail(tmp_path)) == []


def test_repr_shows_no_literal_secret(tmp_path: Path) -> None:
    created = create_key(Algorithm.ES256, backend="pem", options=_options(tmp_path / "key.pem"))

    assert CANARY not in repr(created) + created.toml()
    assert created.omitted == ("signer.passphrase",)


def test_neither_backend_nor_profile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    with pytest.raises(ConfigurationError, match="name a --backend"):
        show_key()
