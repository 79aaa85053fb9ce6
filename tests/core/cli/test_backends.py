"""``backends``: what is installed, by metadata alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers import __version__
from tests.core.cli.support import Command
from tests.core.config.support import write_config, write_distribution

MINE = "raise SystemExit('imported')"


def row(command: Command, name: str, *arguments: object) -> list[dict[str, object]]:
    done = command("backends", "--json", *arguments)
    assert done.code == 0
    return [found for found in done.json if found["name"] == name]


def test_built_in_backend_is_listed_with_its_distribution(command: Command) -> None:
    assert row(command, "pem") == [
        {
            "name": "pem",
            "distribution": "dfns-signers",
            "version": __version__,
            "target": "dfns_signers.backends.pem.plugin:PemBackend",
            "selected": False,
            "ambiguous": False,
        }
    ]


def test_plugin_that_cannot_be_imported_is_listed_for_none_is_imported(
    command: Command, site: Path
) -> None:
    write_distribution(site, "acme-hsm", {"acme": MINE}, version="2.3")

    (found,) = row(command, "acme")

    assert (found["distribution"], found["version"], found["target"]) == ("acme-hsm", "2.3", "acme")


def test_two_plugins_of_one_name_are_both_listed_and_marked(command: Command, site: Path) -> None:
    write_distribution(site, "acme-hsm", {"hsm": MINE})
    write_distribution(site, "umbrella-hsm", {"hsm": MINE})

    assert [(one["distribution"], one["ambiguous"]) for one in row(command, "hsm")] == [
        ("acme-hsm", True),
        ("umbrella-hsm", True),
    ]
    assert command("backends").out.count("ambiguous") == 2


@pytest.mark.parametrize("option", ["--config", "--profile"])
def test_backend_of_the_profile_is_marked(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    config = write_config(
        folder, "default_profile = 'p'\n[profiles.p]\nsigner = 'pem:?path=no.pem'"
    )
    monkeypatch.setenv("DFNS_CONFIG", str(config))
    value = config if option == "--config" else "p"

    assert [one["selected"] for one in row(command, "pem", option, value)] == [True]


def test_table_names_everything(command: Command, site: Path) -> None:
    write_distribution(site, "acme-hsm", {"acme": MINE}, version="2.3")

    out = command("backends").out

    for part in ("pem", "dfns-signers", __version__, "acme-hsm", "2.3"):
        assert part in out
