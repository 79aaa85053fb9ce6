"""Plugins are found by their metadata, and only the one that is asked for is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from dfns_signers.backends.backend import Backend
from dfns_signers.discovery import (
    PluginInfo,
    installed_plugins,
    load_backend,
    load_plugin,
    load_plugins,
    missing_backends,
)
from dfns_signers.errors import PluginError, SigningRefusedError
from dfns_signers.hooks import SigningHooks
from dfns_signers.public_keys import load_public_key
from dfns_signers.signer import KeySigner
from tests.core.keys import AnsweringKey, private_key, private_pem, public_pem
from tests.support import ROOT

Install = Callable[..., None]

BACKEND = """
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.options import BackendOptions
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.hooks import hookimpl

class ToyOptions(BackendOptions):
    pem: str

class ToyBackend(Backend):
    options = ToyOptions

    def open(self, options):
        return PemKey.from_pem(options.pem)

@hookimpl
def dfns_backend():
    return ToyBackend()
"""

WITHOUT_OPTIONS = """
from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import hookimpl

class Bare(Backend):
    def open(self, options):
        raise AssertionError("never opened")

@hookimpl
def dfns_backend():
    return Bare()
"""
GUARD = """
from dfns_signers.errors import SigningRefusedError
from dfns_signers.hooks import hookimpl

@hookimpl
def before_sign(request):
    raise SigningRefusedError("not on Sundays")
"""

ONE_BACKEND = "from dfns_signers.hooks import hookimpl\n\n@hookimpl\ndef dfns_backend():\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one plugin on the path, as pip would."""
    before = set(sys.modules)

    def install(
        distribution: str, *, plugin: str, source: str, target: str = "", version: str = "1.0"
    ) -> None:
        module = distribution.replace("-", "_")
        folder = tmp_path / distribution
        metadata = folder / f"{module}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (metadata / "entry_points.txt").write_text(
            f"[dfns_signers]\n{plugin} = {target or module}\n"
        )
        monkeypatch.syspath_prepend(folder)

    yield install
    for name in set(sys.modules) - before:
        if name.startswith("acme"):
            del sys.modules[name]


def test_built_in_pem_comes_through_the_same_door() -> None:
    assert "pem" in [info.name for info in installed_plugins()]
    assert load_plugin("pem") is sys.modules["dfns_signers.backends.pem.plugin"].PemBackend
    assert isinstance(load_backend("pem"), Backend)


@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("acme_toy", ""),
        ("acme_toy:ToyBackend", ""),
        ("acme_toy:toy", "\ntoy = ToyBackend()\n"),
    ],
    ids=["module with a hook", "class", "instance"],
)
def test_foreign_backend_opens_a_key(install: Install, target: str, more: str) -> None:
    install("acme-toy", plugin="toy", source=BACKEND + more, target=target)
    backend = load_backend("toy")

    key = backend.open(backend.options.model_validate({"pem": private_pem(private_key("ES256"))}))

    assert key.public_key == load_public_key(public_pem(private_key("ES256").public_key()))


def test_backend_in_an_object_of_a_module_is_found(install: Install) -> None:
    source = BACKEND.replace("def dfns_backend():", "def dfns_backend(self):")
    head, hook = source.split("@hookimpl\n")
    indented = "".join(f"    {line}\n" for line in ("@hookimpl", *hook.splitlines()))
    source = f"{head}class Plugin:\n{indented}\nplugin = Plugin()\n"
    install("acme-toy", plugin="toy", source=source, target="acme_toy:plugin")

    assert isinstance(load_backend("toy"), Backend)


def test_selecting_a_plugin_imports_it_and_no_other(install: Install) -> None:
    install("acme-toy", plugin="toy", source=BACKEND)
    install("acme-other", plugin="other", source="raise AssertionError('imported')")

    load_backend("toy")

    assert "acme_toy" in sys.modules
    assert "acme_other" not in sys.modules


def test_plugin_that_was_found_is_not_looked_up_again(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-toy", plugin="toy", source=BACKEND)
    found = load_plugin("toy")

    def lookup(**_: object) -> NoReturn:
        raise AssertionError("the metadata of all distributions was read again")

    monkeypatch.setattr("dfns_signers.discovery.entry_points", lookup)

    assert load_plugin("toy") is found


def test_plugin_that_was_missing_is_found_once_it_is_installed(install: Install) -> None:
    with pytest.raises(PluginError, match="there is no plugin 'toy'"):
        load_plugin("toy")

    install("acme-toy", plugin="toy", source=BACKEND)

    assert isinstance(load_backend("toy"), Backend)


def test_rival_on_a_path_that_is_added_later_makes_a_name_ambiguous(install: Install) -> None:
    install("acme-toy", plugin="toy", source=BACKEND)
    load_plugin("toy")

    install("acme-other", plugin="toy", source=BACKEND)

    with pytest.raises(PluginError, match="ambiguous"):
        load_plugin("toy")


def test_listing_reads_metadata_and_imports_nothing(install: Install) -> None:
    install("acme-toy", plugin="toy", source="raise AssertionError('imported')", version="2.1")

    found = [info for info in installed_plugins() if info.distribution.startswith("acme")]

    assert found == [PluginInfo("toy", "acme-toy", "2.1", "acme_toy")]
    assert "acme_toy" not in sys.modules


def test_listing_shows_both_of_one_name(install: Install) -> None:
    install("acme-two", plugin="toy", source=BACKEND)
    install("acme-one", plugin="toy", source=BACKEND)

    found = [info.distribution for info in installed_plugins() if info.name == "toy"]

    assert found == ["acme-one", "acme-two"]


def test_two_distributions_with_one_name_refused_naming_both_and_importing_none(
    install: Install,
) -> None:
    install("acme-two", plugin="toy", source=BACKEND)
    install("acme-one", plugin="toy", source=BACKEND)

    with pytest.raises(PluginError, match="acme-one and acme-two both offer a plugin 'toy'"):
        load_backend("toy")
    assert not {"acme_one", "acme_two"} & sys.modules.keys()


def test_second_offer_of_a_built_in_name_refused(install: Install) -> None:
    install("acme-pem", plugin="pem", source=BACKEND)

    with pytest.raises(PluginError, match="acme-pem and dfns-signers"):
        load_backend("pem")


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import acme_no_such_module", "ModuleNotFoundError: No module named 'acme_no_such"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError"),
        ("import sys\nsys.exit('no licence')", "SystemExit: no licence"),
    ],
)
def test_broken_plugin_refused_with_its_real_cause_while_others_load(
    install: Install, source: str, cause: str
) -> None:
    install("acme-broken", plugin="broken", source=source, version="3.2")
    install("acme-toy", plugin="toy", source=BACKEND)

    with pytest.raises(PluginError, match=cause) as caught:
        load_backend("broken")

    assert "acme-broken 3.2" in str(caught.value)
    assert caught.value.__cause__ is not None
    assert isinstance(load_backend("toy"), Backend)
    assert isinstance(load_backend("pem"), Backend)


def test_plugin_whose_target_is_missing_refused(install: Install) -> None:
    install("acme-toy", plugin="toy", source=BACKEND, target="acme_toy:absent")

    with pytest.raises(PluginError, match=r"AttributeError.*absent"):
        load_backend("toy")


@pytest.mark.parametrize(
    ("name", "meant"), [("acme-toystor", "acme-toystore"), ("vault-tranist", "vault-transit")]
)
def test_unknown_name_refused_with_the_nearest(install: Install, name: str, meant: str) -> None:
    install("acme-toy", plugin="acme-toystore", source=BACKEND)

    with pytest.raises(PluginError, match=f"did you mean '{meant}'") as caught:
        load_backend(name)

    assert {"acme-toystore", "pem"} <= set(
        str(caught.value).partition("Installed: ")[2].split(", ")
    )


def test_unknown_name_near_nothing_refused_without_a_guess() -> None:
    with pytest.raises(PluginError, match=r"no plugin 'zzzzzz'\. Installed: "):
        load_backend("zzzzzz")


@pytest.mark.parametrize(
    ("name", "extra"), [("aws-kms", "aws"), ("gcp-kms", "gcp"), ("vault-transit", "vault")]
)
def test_known_backend_that_is_not_installed_refused_with_the_command(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # On another path, for those that were found on this one are remembered.
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("dfns_signers.discovery.entry_points", lambda group: ())

    with pytest.raises(PluginError) as caught:
        load_backend(name)
    assert f'pip install "dfns-signers[{extra}]"' in str(caught.value)
    assert f"in a clone of the repository: pip install . ./plugins/{name}" in str(caught.value)
    assert (ROOT / "plugins" / name / "pyproject.toml").is_file()
    assert f'pip install "dfns-signers[{extra}]"' in missing_backends()[name]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "found NoneType"),
        ("def dfns_backend():\n    return 7", "found NoneType"),
        (ONE_BACKEND + "    return 7", "found int"),
        (ONE_BACKEND + "    return None", "found NoneType"),
        (ONE_BACKEND + "    1 / 0", "ZeroDivisionError"),
        (ONE_BACKEND + "    raise SystemExit('no licence')", "SystemExit: no licence"),
        (ONE_BACKEND.replace("():", "(where):") + "    return 7", "where"),
        (GUARD, "belongs under 'plugins'"),
        (WITHOUT_OPTIONS, "declares no options"),
    ],
)
def test_plugin_that_provides_no_backend_refused_with_what_it_gave(
    install: Install, source: str, reason: str
) -> None:
    install("acme-toy", plugin="toy", source=source)

    with pytest.raises(PluginError, match=reason) as caught:
        load_backend("toy")
    assert "'toy'" in str(caught.value)


def test_named_hooks_stand_in_the_signing_path(install: Install) -> None:
    install("acme-guard", plugin="sundays", source=GUARD)
    key = AnsweringKey("ES256")

    with pytest.raises(SigningRefusedError, match="not on Sundays"):
        KeySigner(key, "cr-1", plugins=SigningHooks(load_plugins(["sundays"]))).sign(
            {"challenge": "Y2g"}
        )
    assert key.uses == 0


def test_named_hooks_that_are_missing_refused() -> None:
    with pytest.raises(PluginError, match="no plugin 'absent'"):
        load_plugins(["absent"])


def test_no_named_hooks_leave_the_path_free() -> None:
    assert not load_plugins([])


def test_backend_class_that_cannot_be_made_refused_with_the_reason(install: Install) -> None:
    abstract = BACKEND.replace("    def open(", "    def other(")
    install("acme-toy", plugin="toy", source=abstract, target="acme_toy:ToyBackend")

    with pytest.raises(PluginError, match=r"failed to provide its backend: TypeError.*abstract"):
        load_backend("toy")


@pytest.mark.parametrize("missing", ["create_options", "list_options"])
def test_backend_that_manages_keys_without_options_refused(install: Install, missing: str) -> None:
    given = {"create_options", "list_options"} - {missing}
    source = BACKEND + (
        "\nfrom dfns_signers.plugin import ManagementOptions, ManagesKeys\n"
        "\nclass Managing(ToyBackend, ManagesKeys):\n"
        f"    {given.pop()} = ManagementOptions\n"
        "    def create(self, algorithm, options): ...\n"
        "    def list_keys(self, options): ...\n"
    )
    install("acme-toy", plugin="toy", source=source, target="acme_toy:Managing")

    with pytest.raises(PluginError, match=f"attribute '{missing}' should be a subclass"):
        load_backend("toy")
