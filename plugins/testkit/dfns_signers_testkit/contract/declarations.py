"""What a backend's author declares: what is tested, and what does not apply and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from dfns_signers.algorithms import Algorithm

ALGORITHMS: Final = tuple(str(algorithm) for algorithm in Algorithm)

NOT_OFFERABLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(ALGORITHMS, "keys of this algorithm"),
    "missing_key": "a [signer] table that names a key that does not exist",
    "unreachable": "a [signer] table whose key store cannot be reached",
    "denied": "a [signer] table whose credentials are refused",
    "secrets": "strings that must not be shown, such as tokens and PINs",
    "create": "creating and listing keys",
    "options_page": "the page that documents the options",
    "trio": "asynchronous signatures under trio, besides asyncio",
    "verified": "verification of each signature: for keys in the memory of this process only",
}
"""What ``not_offered`` may name; everything else is always tested."""

FAILURES: Final = ("missing_key", "unreachable", "denied")

TABLES: Final = ("secrets", "create", *FAILURES)
"""What is given by StoreUnderTest."""

needs: Final = pytest.mark.backend_contract
"""``@needs("create")``: a test that only counts where that is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUnderTest:
    """A key store with keys on it.

    A ``[signer]`` table is as in the configuration; ``backend`` may be left out.

    Attributes:
        signers: the ``[signer]`` table of a key of each algorithm.
        environment: environment variables that are set during each test, such as credentials.
        secrets: strings that must appear in no repr, log record or error.
        missing_key: the table of a key that does not exist: KeyNotFoundError.
        unreachable: the table of a store that cannot be reached: KeyStoreUnavailableError.
        denied: the table of a key that these credentials may not use: KeyAccessError.
        create: gives the options that create a new key of an algorithm.
        list_keys: the options that list the created keys.
    """

    signers: Mapping[str, Mapping[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)
    missing_key: Mapping[str, Any] | None = None
    unreachable: Mapping[str, Any] | None = None
    denied: Mapping[str, Any] | None = None
    create: Callable[[str], Mapping[str, Any]] | None = None
    list_keys: Mapping[str, Any] = field(default_factory=dict)


class Declarations:
    """The declarations of a contract, and the fixtures that follow from them.

    Attributes:
        backend: name in the configuration, which is that of the entry point.
        algorithms: names of the algorithms that the backend offers, such as ``("Ed25519",)``.
        not_offered: what does not apply, each with the reason; see ``NOT_OFFERABLE``.
        options_page: the page whose table has a row for each option.
        message_limits: the longest message in bytes, for each algorithm that has a limit.
        patience: seconds after which anything counts as hung.
    """

    pytestmark: ClassVar = [pytest.mark.backend_contract]

    backend: ClassVar[str]
    algorithms: ClassVar[Sequence[str]]
    not_offered: ClassVar[Mapping[str, str]] = {}
    options_page: ClassVar[Path | None] = None
    message_limits: ClassVar[Mapping[str, int]] = {}
    patience: ClassVar[float] = 60.0

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls) -> StoreUnderTest:
        """The store to test; each subclass has its own.

        Raises:
            NotImplementedError: it has not.
        """
        raise NotImplementedError("give the contract a fixture 'store' of scope 'class'")

    @pytest.fixture(autouse=True)
    def _environment(
        self, store: StoreUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in os.environ:
            if name.startswith("DFNS_"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test with what is declared."""
        values = {
            "algorithm": [name for name in ALGORITHMS if name in self.algorithms],
            "runtime": [name for name in ("asyncio", "trio") if name not in self.not_offered],
            "failure": [name for name in FAILURES if name not in self.not_offered],
        }
        for name in values.keys() & set(metafunc.fixturenames):
            metafunc.parametrize(name, values[name])

    def test_everything_is_declared_once(
        self, store: StoreUnderTest, record_property: Callable[[str, object], None]
    ) -> None:
        record_property("not offered", {self.backend: dict(self.not_offered)})
        wrong = "\n".join(_wrong(self, store))
        if wrong:
            pytest.fail(wrong, pytrace=False)


def _wrong(contract: Declarations, store: StoreUnderTest) -> Iterator[str]:
    offered = {name for name in TABLES if getattr(store, name)} | set(contract.algorithms)
    offered |= {"options_page"} if contract.options_page else set()
    offered |= {"trio", "verified"} - contract.not_offered.keys()
    for name, reason in contract.not_offered.items():
        if name not in NOT_OFFERABLE:
            yield f"not_offered names {name!r}; it may name {', '.join(NOT_OFFERABLE)}"
        if not reason.strip():
            yield f"not_offered has no reason for {name!r}"
    for name, what in NOT_OFFERABLE.items():
        if name in offered and name in contract.not_offered:
            yield f"{name!r} is offered, and not_offered says that it is not"
        if name not in offered and name not in contract.not_offered:
            yield f"{name!r} is missing ({what}): give it, or the reason in not_offered"
    if set(store.signers) != set(contract.algorithms):
        yield f"algorithms are {contract.algorithms}, and signers has {list(store.signers)}"
