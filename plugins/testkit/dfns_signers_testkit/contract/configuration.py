"""The contract of configuration: options, pins, errors of the right kind, secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from dfns_signers.backends.options import BackendOptions
from dfns_signers.discovery import load_backend
from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
    FingerprintMismatchError,
    KeyAccessError,
    KeyNotFoundError,
    KeyStoreUnavailableError,
)
from dfns_signers_testkit.contract.checks import fingerprint, within
from dfns_signers_testkit.contract.declarations import StoreUnderTest, needs
from dfns_signers_testkit.contract.opening import Keys, OpensKeys
from dfns_signers_testkit.contract.signatures import CLIENT_DATA, require_explanation

_EXPECTED: Final[Mapping[str, type[DfnsSignersError]]] = {
    "missing_key": KeyNotFoundError,
    "unreachable": KeyStoreUnavailableError,
    "denied": KeyAccessError,
}
_OTHER_FINGERPRINT: Final = f"sha256:{'0' * 64}"


class ConfigurationContract(OpensKeys):
    """How a key is chosen, and what is said when it cannot be opened."""

    def test_unknown_option_is_refused_with_the_one_that_was_meant(
        self, keys: Keys, store: StoreUnderTest
    ) -> None:
        own = [*_own_options(self.backend), "fingerprint"][0]

        with _refused(ConfigurationError, store) as caught:
            keys.new(self.first, **{f"{own}x": "value"})

        assert f"key '{own}x': unknown key (did you mean '{own}'?)" in str(caught.value)

    def test_every_option_has_a_description(self) -> None:
        options = load_backend(self.backend).options.model_fields

        bare = [name for name, field in options.items() if not field.description]
        assert not bare, f"options without a description: {', '.join(bare)}"

    @needs("options_page")
    def test_every_option_has_a_row_on_the_page(self) -> None:
        page = Path(self.options_page or "").read_text(encoding="utf-8")
        rows = set(re.findall(r"^\| *`([^`]+)` *\|", page, re.MULTILINE))

        missing = [name for name in _own_options(self.backend) if name not in rows]
        assert not missing, f"options without a row on the page: {', '.join(missing)}"

    def test_pinned_fingerprint_is_accepted(self, keys: Keys) -> None:
        pin = fingerprint(keys.shared(self.first).public_key)

        assert keys.new(self.first, fingerprint=pin).fingerprint == pin

    def test_another_fingerprint_is_refused(self, keys: Keys, store: StoreUnderTest) -> None:
        with _refused(FingerprintMismatchError, store):
            keys.new(self.first, fingerprint=_OTHER_FINGERPRINT)

    @needs("missing_key", "unreachable", "denied")
    def test_failure_is_an_error_of_its_kind(
        self, keys: Keys, store: StoreUnderTest, failure: str
    ) -> None:
        with _refused(_EXPECTED[failure], store) as caught:
            keys.signer(getattr(store, failure))

        require_explanation(caught.value)

    @needs("secrets")
    def test_repr_shows_no_secret(self, keys: Keys, store: StoreUnderTest, algorithm: str) -> None:
        signer = keys.signer(store.signers[algorithm])
        shown = [signer, signer.key, signer.key.sign_with_evidence(CLIENT_DATA)]

        _require_no_secret(store, *map(repr, shown), *map(str, shown))

    @needs("secrets")
    def test_log_shows_no_secret(
        self, keys: Keys, store: StoreUnderTest, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)

        key = keys.new(self.first)
        keys.sign(key, CLIENT_DATA)
        within(self.patience, key.close)

        formatted = map(logging.Formatter().format, caplog.records)
        _require_no_secret(store, *formatted)


def _own_options(backend: str) -> list[str]:
    options = load_backend(backend).options.model_fields
    return [name for name in options if name not in BackendOptions.model_fields]


@contextmanager
def _refused(
    kind: type[DfnsSignersError], store: StoreUnderTest
) -> Iterator[pytest.ExceptionInfo[DfnsSignersError]]:
    """Expect an error of a kind that shows no secret, nor do those that caused it."""
    with pytest.raises(kind) as caught:
        yield caught
    error: BaseException | None = caught.value
    while error is not None:
        _require_no_secret(store, str(error), repr(error), repr(error.args), repr(vars(error)))
        error = error.__cause__ or error.__context__


def _require_no_secret(store: StoreUnderTest, *texts: str) -> None:
    shown = [text for text in texts if any(secret in text for secret in store.secrets)]
    assert shown == [], "a secret is shown"
