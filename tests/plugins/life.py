"""The life of a key of any backend: set up, registered, rotated, from the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dfns_signers import DfnsClient, KeySigner
from dfns_signers.config.assembly import open_key
from dfns_signers.config.files import read_file
from dfns_signers.config.loading import load_profile
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import FULL_ACCESS, Emulator
from dfns_signers.secrets import Secret
from dfns_signers.signing_key import SigningKey
from tests.core.cli.support import Command, Outcome
from tests.core.config.support import write_client_config, write_key
from tests.core.keys import public_key, public_pem

ADMINISTRATOR: Final = "p"
"""A profile with a PEM key, which registers the others."""
PROFILE: Final = "new"
WALLET: Final = '{"network": "EthereumSepolia"}'

Names = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class KeyStore:
    """A running key store, where ``setup`` creates keys.

    Attributes:
        backend: its name.
        options: those of ``setup`` that create a key, for a profile's name.
        names: of every key, or version of a key, that is there.
        more: options of the signer that a rotation keeps.
    """

    backend: str
    options: Callable[[str], Mapping[str, str]]
    names: Names
    more: Mapping[str, Any] = field(default_factory=lambda: {"max_attempts": 5})


@dataclass(frozen=True)
class Census:
    """What there is of each kind.

    Attributes:
        keys: in the key store, or versions of them.
        active: credentials of the administrator that sign.
        inactive: those that are deactivated.
        accounts: service accounts.
        tokens: personal access tokens.
        profiles: in the file.
    """

    keys: int
    active: int
    inactive: int
    accounts: int
    tokens: int
    profiles: tuple[str, ...]


ONE_LIFE: Final = Census(
    keys=2, active=2, inactive=1, accounts=1, tokens=1, profiles=(ADMINISTRATOR, PROFILE)
)
"""What is there after a setup, a registration of each kind, and a rotation."""


@dataclass
class Life:
    """A profile of one key store, and the commands that lead it through its life.

    Attributes:
        url: of the emulator, or of a relay before it.
    """

    command: Command
    emulator: Emulator
    folder: Path
    store: KeyStore
    url: str = ""
    before: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.emulator.register(public_pem(public_key("Ed25519")), "Y2kt")
        write_key(self.folder)
        address = self.url or self.emulator.url
        write_client_config(self.folder, address, self.emulator.auth_token)
        self.before = frozenset(self.store.names())

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def setup(self, algorithm: str, name: str = PROFILE) -> tuple[object, ...]:
        """The command that makes the new key a credential of the administrator."""
        return ("setup", "--config", self.config, "--name", name, *self.options(algorithm, name))

    def options(self, algorithm: str, name: str) -> tuple[str, ...]:
        pairs = (
            argument
            for option, value in self.store.options(name).items()
            for argument in ("-o", f"{option}={value}")
        )
        return (
            "--backend", self.store.backend, "--create", "--algorithm", algorithm, *pairs,
            "--register-by", ADMINISTRATOR, "--as", "credential", "--yes",
        )  # fmt: skip

    def register(self, kind: str) -> tuple[object, ...]:
        """The command that registers the key as a service account or a token too."""
        return (
            "register", kind, *self.profile, "--by", ADMINISTRATOR,
            "--token-file", self.token_file(kind), "--permission", FULL_ACCESS, "--json",
        )  # fmt: skip

    @property
    def rotate(self) -> tuple[object, ...]:
        return ("rotate", *self.profile, "--yes")

    @property
    def profile(self) -> tuple[object, ...]:
        return ("--config", self.config, "--profile", PROFILE)

    def token_file(self, kind: str) -> Path:
        return self.folder / f"{kind}.token"

    def run(self, command: tuple[object, ...]) -> Outcome:
        done = self.command(*command)
        assert done.code == 0, done.err + done.out
        return done

    def sign(self) -> None:
        self.run(("request", "POST", "/wallets", "--json", WALLET, *self.profile))

    def sign_as(self, kind: str, credential_id: str) -> None:
        """Make a signed call with the token of a kind that the key was registered as."""
        with self.key() as key, self._client(kind, KeySigner(key, credential_id)) as dfns:
            dfns.wallets.create(network="EthereumSepolia")

    def _client(self, kind: str, signer: KeySigner) -> DfnsClient:
        token = Secret.from_file(self.token_file(kind))
        return DfnsClient(token, signer, base_url=self.emulator.url)

    def configure(self, **options: Any) -> dict[str, Any]:
        """Give the signer of the profile other options; returns its table."""
        edit = ConfigEdit(self.config)
        signer = {**edit.profiles[PROFILE]["signer"], **options}
        edit.put(PROFILE, {"signer": signer})
        edit.write()
        return signer

    def key(self) -> SigningKey:
        return open_key(load_profile(PROFILE, config=self.config))

    def administrator(self) -> DfnsClient:
        return DfnsClient.from_config(ADMINISTRATOR, config=self.config)

    def census(self) -> Census:
        with self.administrator() as dfns:
            credentials = [one["isActive"] for one in dfns.auth.credentials.list()]
            return Census(
                keys=len(set(self.store.names()) - self.before),
                active=credentials.count(True),
                inactive=credentials.count(False),
                accounts=len(list(dfns.auth.service_accounts.list())),
                tokens=len(list(dfns.auth.personal_access_tokens.list())),
                profiles=tuple(sorted(read_file(self.config).profiles, reverse=True)),
            )
