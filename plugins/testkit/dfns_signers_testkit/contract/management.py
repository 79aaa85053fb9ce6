"""The contract of management: keys are created, found, followed by a next one, and listed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription, ManagesKeys
from dfns_signers.config.validation import validate
from dfns_signers.discovery import load_backend
from dfns_signers_testkit.contract.checks import within
from dfns_signers_testkit.contract.declarations import StoreUnderTest, needs
from dfns_signers_testkit.contract.opening import Keys, OpensKeys
from dfns_signers_testkit.contract.signatures import CLIENT_DATA


class ManagementContract(OpensKeys):
    """What becomes of a key before and after it signs."""

    @needs("create")
    def test_created_key_is_listed_and_signs(
        self, keys: Keys, store: StoreUnderTest, algorithm: str
    ) -> None:
        created = self._create(algorithm, self._options(store, algorithm))

        (listed,) = within(self.patience, lambda: self._listed(store, created.reference))

        assert created.algorithm == listed.algorithm == algorithm
        for description in (created, listed):
            key = keys.signer(description.signer).key
            assert key.algorithm == algorithm
            keys.sign(key, CLIENT_DATA)

    @needs("create")
    def test_created_key_is_found_where_the_backend_finds_keys(
        self, keys: Keys, store: StoreUnderTest, algorithm: str
    ) -> None:
        if not self._has_own("find"):
            return
        options = self._options(store, algorithm)

        before = self._find(algorithm, options)
        created = self._create(algorithm, options)
        found = {asked: self._find(asked, options) for asked in self.algorithms}

        assert before is None, "a key was found before it was created"
        for asked, key in found.items():
            assert key is not None, f"the key that was created is not found, asked for {asked}"
            assert (key.reference, key.algorithm) == (created.reference, algorithm), (
                f"the key that is found is not the {algorithm} key that was created, asked for "
                f"{asked}"
            )
            keys.sign(keys.signer(key.signer).key, CLIENT_DATA)

    @needs("create")
    def test_next_key_is_made_once_where_the_backend_makes_next_keys(
        self, keys: Keys, store: StoreUnderTest, algorithm: str
    ) -> None:
        if not self._has_own("create_next"):
            return
        created = self._create(algorithm, self._options(store, algorithm))
        configured = keys.signer(created.signer).key

        first, again = self._create_next(created), self._create_next(created)

        assert first.reference == again.reference, "a second call made another key"
        following = keys.signer(first.signer).key
        assert following.algorithm == first.algorithm == algorithm
        assert following.fingerprint != configured.fingerprint, "the next key is the configured one"
        keys.sign(following, CLIENT_DATA)
        keys.signer(created.signer).key.require_fingerprint(configured.fingerprint)

    def test_keys_are_created_where_the_backend_says_so(self) -> None:
        offers = isinstance(load_backend(self.backend), ManagesKeys)

        assert offers is ("create" not in self.not_offered), (
            "the backend has ManagesKeys, and not_offered names 'create'"
            if offers
            else "the backend has no ManagesKeys: name 'create' in not_offered"
        )

    def _has_own(self, method: str) -> bool:
        return getattr(type(self._manager), method) is not getattr(ManagesKeys, method)

    @property
    def _manager(self) -> ManagesKeys[Any, Any]:
        manager = load_backend(self.backend)
        assert isinstance(manager, ManagesKeys)
        return manager

    def _options(self, store: StoreUnderTest, algorithm: str) -> Any:
        assert store.create is not None
        return _validated(self._manager.create_options, store.create(algorithm))

    def _create(self, algorithm: str, options: Any) -> KeyDescription:
        return within(self.patience, lambda: self._manager.create(Algorithm(algorithm), options))

    def _find(self, algorithm: str, options: Any) -> KeyDescription | None:
        return within(self.patience, lambda: self._manager.find(Algorithm(algorithm), options))

    def _create_next(self, created: KeyDescription) -> KeyDescription:
        table = {name: value for name, value in created.signer.items() if name != "backend"}
        options = _validated(load_backend(self.backend).options, table)
        return within(self.patience, lambda: self._manager.create_next(options))

    def _listed(self, store: StoreUnderTest, reference: str) -> list[KeyDescription]:
        options = _validated(self._manager.list_options, store.list_keys)
        return [key for key in self._manager.list_keys(options) if key.reference == reference]


def _validated(model: Any, options: Mapping[str, Any]) -> Any:
    return validate(model, options, where="options of the contract", folder=Path())
