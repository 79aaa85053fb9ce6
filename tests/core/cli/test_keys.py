"""``keys create`` and ``keys list``, with a key store that keeps its keys in a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.cli.support import Command
from tests.core.config.support import write_distribution

TOY = """
    from dfns_signers.algorithms import Algorithm
    from dfns_signers.backends.backend import Backend
    from dfns_signers.backends.management import KeyDescription, ManagementOptions, ManagesKeys
    from dfns_signers.backends.options import BackendOptions, ConfigPath
    from dfns_signers.errors import KeyAccessError, UnsupportedKeyError
    from dfns_signers.hooks import hookimpl


    class Place(ManagementOptions):
        region: str
        ca_cert: ConfigPath | None = None


    class Create(Place):
        label: str | None = None
        copies: int = 1
        tags: dict[str, str] = {}


    class Options(BackendOptions):
        region: str
        key: str
        ca_cert: ConfigPath | None = None


    class Toy(Backend, ManagesKeys):
        options, create_options, list_options = Options, Create, Place

        def open(self, options):
            raise AssertionError("no key is opened")

        def derived_options(self, signer):
            region, slash, _ = str(signer.get("key")).partition("/")
            return {"region": region, "of_no_operation": 1} if slash else {}

        def create(self, algorithm, options):
            if algorithm is Algorithm.ES256K:
                raise UnsupportedKeyError("the toy store has no secp256k1")
            name = f"{options.region}/{options.label}/{options.copies}/{options.tags}"
            table = {"backend": "toy", "region": options.region, "key": name}
            return KeyDescription(name, algorithm, "TOY", "Enabled", ("one",), table)

        def list_keys(self, options):
            if options.region == "closed":
                raise KeyAccessError("no access to the region 'closed'")
            yield KeyDescription(f"{options.region}/1", Algorithm.ES256, "TOY", "Enabled", ("one",))
            yield KeyDescription(f"{options.ca_cert}", None, "AES", "Disabled")


    @hookimpl
    def dfns_backend():
        return Toy()
"""

OPENER = """
    from dfns_signers.backends.backend import Backend
    from dfns_signers.backends.options import BackendOptions
    from dfns_signers.hooks import hookimpl


    class Opener(Backend):
        options = BackendOptions

        def open(self, options):
            raise AssertionError("no key is opened")


    @hookimpl
    def dfns_backend():
        return Opener()
"""


@pytest.fixture(autouse=True)
def _toy(site: Path) -> None:
    write_distribution(site, "acme-toy", {"toy": TOY, "toy-opener": OPENER})


@pytest.fixture
def profile(folder: Path) -> Path:
    config = folder / "config.toml"
    config.write_text(
        'default_profile = "p"\n[profiles.p.signer]\nbackend = "toy"\nregion = "north"\n'
        'key = "north/1"\nca_cert = "ca.pem"\n',
        encoding="utf-8",
    )
    return config


def test_created_key_is_printed_as_a_profile_that_opens_it(command: Command) -> None:
    done = command("keys", "create", "ES256", "--backend", "toy", "-o", "region=north")

    assert done.code == 0
    assert done.out.splitlines() == [
        "[profiles.toy-one.signer]",
        'backend = "toy"',
        'region = "north"',
        'key = "north/None/1/{}"',
    ]
    assert "created north/None/1/{} (TOY, Enabled)" in done.err


@pytest.mark.parametrize("text", ["es256", "ES256", "Es256"])
def test_algorithm_may_be_written_in_any_case(command: Command, text: str) -> None:
    done = command("keys", "create", text, "--backend", "toy", "-o", "region=north", "--json")

    assert done.json["algorithm"] == "ES256"


def test_options_are_converted_and_nested_as_the_backend_declares_them(command: Command) -> None:
    options = ("-o", "region=north", "-o", "label=a=b", "-o", "copies=2", "-o", "tags.team=x")

    done = command("keys", "create", "Ed25519", "--backend", "toy", "--json", *options)

    assert done.json["reference"] == "north/a=b/2/{'team': 'x'}"
    assert (done.json["algorithm"], done.json["state"]) == ("Ed25519", "Enabled")


def test_profile_says_where_the_store_is(command: Command, profile: Path) -> None:
    done = command("keys", "list", "--config", profile, "--json")

    assert done.json[0]["reference"] == "north/1"
    assert done.json[1]["reference"] == str(profile.parent / "ca.pem")


def test_place_of_the_store_is_derived_from_the_key_of_the_profile(
    command: Command, folder: Path
) -> None:
    config = folder / "config.toml"
    config.write_text(
        'default_profile = "p"\n[profiles.p.signer]\nbackend = "toy"\nkey = "east/1"\n',
        encoding="utf-8",
    )

    listed = command("keys", "list", "--config", config, "--json")
    created = command("keys", "create", "ES256", "--config", config, "--json")
    elsewhere = command("keys", "list", "--config", config, "-o", "region=south", "--json")

    assert listed.json[0]["reference"] == "east/1"
    assert created.json["reference"] == "east/None/1/{}"
    assert elsewhere.json[0]["reference"] == "south/1"


def test_option_of_the_profile_counts_more_than_what_its_key_implies(
    command: Command, profile: Path
) -> None:
    profile.write_text(profile.read_text("utf-8").replace("north/1", "east/1"), encoding="utf-8")

    done = command("keys", "list", "--config", profile, "--json")

    assert done.json[0]["reference"] == "north/1"


def test_option_overrides_the_profile(command: Command, profile: Path) -> None:
    done = command("keys", "list", "--config", profile, "-o", "region=south", "--json")

    assert done.json[0]["reference"] == "south/1"


def test_listed_keys_are_a_table_for_people(command: Command) -> None:
    done = command("keys", "list", "--backend", "toy", "-o", "region=north")

    assert done.code == 0
    (row,) = [line for line in done.out.splitlines() if "north/1" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "north/1",
        "one",
        "ES256",
        "TOY",
        "Enabled",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("create", "ES256K", "--backend", "toy", "-o", "region=n"), 4, "no secp256k1"),
        (("list", "--backend", "toy", "-o", "region=closed"), 4, "no access to the region"),
        (("list", "--backend", "toy"), 3, "key 'region': missing"),
        (("list", "--backend", "toy", "-o", "regoin=n"), 3, "did you mean 'region'?"),
        (("list", "--backend", "toy", "-o", "region"), 2, "NAME=VALUE"),
        (("create", "ES512", "--backend", "toy"), 2, "ES512"),
        (("list", "--backend", "toy-opener"), 3, "does not manage them"),
        (("list", "--backend", "toys"), 3, "did you mean 'toy'?"),
    ],
)
def test_what_is_wrong_ends_with_its_code_and_what_to_do(
    command: Command, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = command("keys", *arguments)

    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_neither_backend_nor_profile_refused(command: Command) -> None:
    done = command("keys", "list")

    assert done.code == 3
    assert "name a --backend" in done.err


def test_wrong_type_in_the_profile_is_refused_as_signing_does(
    command: Command, profile: Path
) -> None:
    profile.write_text(profile.read_text("utf-8").replace('"north"', "7"), encoding="utf-8")

    done = command("keys", "list", "--config", profile)

    assert done.code == 3
    assert f"{profile}, profile 'p', key 'region': expected a string, found an integer" in done.err


def test_string_for_an_integer_is_refused_in_a_profile_and_taken_from_an_option(
    command: Command, profile: Path
) -> None:
    text = profile.read_text("utf-8")
    profile.write_text(f'{text}copies = "2"\n', encoding="utf-8")

    refused = command("keys", "create", "ES256", "--config", profile)
    profile.write_text(text, encoding="utf-8")
    created = command("keys", "create", "ES256", "--config", profile, "-o", "copies=2", "--json")

    assert (refused.code, created.code) == (3, 0)
    assert "key 'copies': expected an integer, found a string" in refused.err
    assert created.json["reference"] == "north/None/2/{}"


@pytest.mark.parametrize("operation", ["list", "create ES256", "show"])
def test_option_of_the_profile_that_signing_refuses_is_refused(
    command: Command, profile: Path, operation: str
) -> None:
    profile.write_text(f'{profile.read_text("utf-8")}ca_crt = "x"\n', encoding="utf-8")

    done = command("keys", *operation.split(), "--config", profile)

    assert (done.code, done.out) == (3, "")
    assert f"{profile}, profile 'p', key 'ca_crt': unknown key" in done.err
    assert "did you mean 'ca_cert'?" in done.err
