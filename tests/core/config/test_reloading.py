"""A client or signer made with ``reload=True`` signs with what the configuration file says."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest

from dfns_signers import (
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    KeySigner,
    PemKey,
    load_signer,
)
from dfns_signers.config import followed_profile
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ConfigurationError,
    KeyNotFoundError,
)
from tests.core.config.changed_files import (
    CREATE,
    SWITCH,
    credentials_used,
    edit_in_place,
    every_call_looks_at_the_file,
    next_key,
    replace_atomically,
    replaced,
    signed_with,
    switch,
)
from tests.core.config.support import (
    write_client_config,
    write_config,
    write_distribution,
)
from tests.core.keys import private_key, private_pem

__all__ = ["every_call_looks_at_the_file", "next_key"]


@pytest.mark.parametrize("change", [replace_atomically, edit_in_place])
def test_client_signs_with_the_new_key_once_the_file_has_changed(
    client_config: Path,
    emulator: Emulator,
    next_key: str,
    change: Callable[[Path, str], None],
) -> None:
    with DfnsClient.from_config(config=client_config, reload=True) as dfns:
        dfns.wallets.create(**CREATE)
        change(client_config, replaced(client_config, *SWITCH))
        dfns.wallets.create(**CREATE)

    assert credentials_used(emulator) == ["Y2kt", next_key]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_asynchronous_client_signs_with_the_new_key_once_the_file_has_changed(
    client_config: Path, emulator: Emulator, next_key: str, backend: str
) -> None:
    async def run() -> None:
        async with AsyncDfnsClient.from_config(config=client_config, reload=True) as dfns:
            await dfns.wallets.create(**CREATE)
            switch(client_config)
            await dfns.wallets.create(**CREATE)

    anyio.run(run, backend=backend)

    assert credentials_used(emulator) == ["Y2kt", next_key]


def test_link_that_leads_elsewhere_is_a_change(folder: Path, key_file: Path) -> None:
    """As Kubernetes replaces the files of a mounted secret."""
    for number, credential in enumerate(("first", "other")):
        text = f"""
            default_profile = "p"
            [profiles.p]
            credential_id = "{credential}"
            signer = "pem:?path={key_file}"
        """
        write_config(folder / f"..{number}", text)
    (folder / "..data").symlink_to("..0")
    (folder / "config.toml").symlink_to("..data/config.toml")

    with load_signer(config=folder / "config.toml", reload=True) as signer:
        before = signed_with(signer)
        (folder / "..new").symlink_to("..1")
        (folder / "..new").rename(folder / "..data")

        assert (before, signed_with(signer)) == ("first", "other")


def test_file_is_found_again_after_a_change_of_the_working_folder(
    client_config: Path, next_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(client_config.parent)
    with load_signer(config="config.toml", reload=True) as signer:
        monkeypatch.chdir("/")
        replace_atomically(
            client_config,
            replaced(
                client_config,
                ("Y2kt", "bmV4dA"),
                ("path=key.pem", f"path={client_config.parent / 'next.pem'}"),
            ),
        )

        assert signed_with(signer) == next_key


def test_file_is_not_looked_at_again_within_the_interval(
    client_config: Path, next_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_profile, "LOOK_INTERVAL", 3600.0)
    with load_signer(config=client_config, reload=True) as signer:
        signed_with(signer)
        switch(client_config)

        assert signed_with(signer) == "Y2kt"


@pytest.mark.parametrize("is_async", [False, True])
def test_call_after_the_old_credential_was_deactivated_signs_with_the_new_one(
    client_config: Path,
    emulator: Emulator,
    next_key: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_async: bool,
) -> None:
    monkeypatch.setattr(followed_profile, "LOOK_INTERVAL", 3600.0)

    def rotate() -> None:
        switch(client_config)
        emulator.disable_credential("Y2kt")

    async def run() -> None:
        async with AsyncDfnsClient.from_config(config=client_config, reload=True) as dfns:
            await dfns.wallets.create(**CREATE)
            rotate()
            await dfns.wallets.create(**CREATE)

    if is_async:
        anyio.run(run)
    else:
        with DfnsClient.from_config(config=client_config, reload=True) as dfns:
            dfns.wallets.create(**CREATE)
            rotate()
            dfns.wallets.create(**CREATE)

    assert credentials_used(emulator) == ["Y2kt", next_key]


def test_file_is_never_looked_at_unless_asked_for(client_config: Path, next_key: str) -> None:
    with load_signer(config=client_config) as signer:
        switch(client_config)

        assert signed_with(signer) == "Y2kt"


def test_change_of_anything_else_leaves_the_key_open(client_config: Path) -> None:
    with load_signer(config=client_config, reload=True) as signer:
        key = signer.key
        replace_atomically(client_config, replaced(client_config) + "\ntimeout = 5\n# a remark\n")
        signed_with(signer)

        assert signer.key is key


BROKEN = {
    "not TOML": ("[profiles.p]", "[profiles.p", "is not valid TOML"),
    "unknown setting": ("credential_id", "credental_id", "credental_id"),
    "unknown backend": ("pem:", "pom:", "pom"),
    "key that is not there": ("path=key.pem", "path=nowhere.pem", "nowhere.pem"),
    "another default profile": ('"p"\n[profiles.p]', '"q"\n[profiles.q]', "'q'"),
    "another place": ("http://", "http://user.", "base_url"),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_configuration_that_cannot_be_used_leaves_the_old_signer_at_work_with_one_warning(
    client_config: Path, emulator: Emulator, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    old, new, named = BROKEN[case]
    whole = replaced(client_config)
    if case == "another place":
        new = "http://localhost:1/"
        old = emulator.url
    with DfnsClient.from_config(config=client_config, reload=True) as dfns:
        replace_atomically(client_config, replaced(client_config, (old, new)))
        for _ in range(3):
            dfns.wallets.create(**CREATE)
        warnings = [
            record.getMessage()
            for record in caplog.records
            if record.levelno >= logging.WARNING and record.name == followed_profile.__name__
        ]
        replace_atomically(client_config, whole)
        dfns.wallets.create(**CREATE)

    assert credentials_used(emulator) == ["Y2kt"] * 4
    assert len(warnings) == 1
    assert named in warnings[0]
    assert str(client_config) in warnings[0]
    assert "credential Y2kt" in warnings[0]


def test_each_change_that_cannot_be_used_is_warned_of(
    client_config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with load_signer(config=client_config, reload=True) as signer:
        for path in ("nowhere.pem", "nothing.pem"):
            text = write_client_config(
                client_config.parent / "other", "http://127.0.0.1:1", "token"
            ).read_text(encoding="utf-8")
            replace_atomically(client_config, text.replace("key.pem", path))
            signed_with(signer)

    assert len([one for one in caplog.records if one.name == followed_profile.__name__]) == 2


def test_file_that_is_gone_for_a_while_is_taken_when_it_is_back(
    client_config: Path, next_key: str
) -> None:
    with load_signer(config=client_config, reload=True) as signer:
        text = replaced(client_config, *SWITCH)
        client_config.unlink()
        without = signed_with(signer)
        write_config(client_config.parent, text)

        assert (without, signed_with(signer)) == ("Y2kt", next_key)


def test_hooks_see_the_call_and_the_credential_of_the_moment(
    client_config: Path, emulator: Emulator, next_key: str, site: Path
) -> None:
    write_distribution(
        site,
        "watching",
        {
            "watching": """
                from dfns_signers import hookimpl
                seen = []
                @hookimpl
                def before_sign(request):
                    seen.append((request.credential_id, request.call.path))
            """
        },
    )
    edit_in_place(client_config, replaced(client_config) + '\nplugins = ["watching"]\n')
    with DfnsClient.from_config(config=client_config, reload=True) as dfns:
        dfns.wallets.create(**CREATE)
        switch(client_config)
        dfns.wallets.create(**CREATE)

    import watching  # type: ignore[import-not-found]  # noqa: PLC0415

    assert watching.seen == [("Y2kt", "/wallets"), (next_key, "/wallets")]


@pytest.mark.parametrize("may_block", [False, True])
def test_answers_are_seen_in_a_thread_only_where_a_hook_may_block(
    client_config: Path, site: Path, *, may_block: bool
) -> None:
    name = f"observing-{may_block}".lower()
    write_distribution(
        site,
        name,
        {
            name: f"""
                import threading
                from dfns_signers import hookimpl
                hooks_may_block = {may_block}
                threads = []
                @hookimpl
                def call_answered(answer):
                    threads.append(threading.get_ident())
            """
        },
    )
    edit_in_place(client_config, replaced(client_config) + f'\nplugins = ["{name}"]\n')

    async def run() -> None:
        async with AsyncDfnsClient.from_config(config=client_config, reload=True) as dfns:
            await dfns.wallets.create(**CREATE)

    anyio.run(run)

    (thread,) = import_module(name.replace("-", "_")).threads
    assert (thread != threading.get_ident()) is may_block


def test_signer_is_shown_with_credential_and_key_of_the_moment(
    client_config: Path, next_key: str
) -> None:
    with load_signer(config=client_config, reload=True) as signer:
        before = repr(signer)
        switch(client_config)
        signed_with(signer)

        assert "Y2kt" in before
        assert "key.pem" in before
        assert next_key in repr(signer)
        assert "next.pem" in repr(signer)
        assert signer.credential_id == next_key


def test_key_that_cannot_be_opened_at_first_stops_the_program(client_config: Path) -> None:
    (client_config.parent / "key.pem").unlink()

    with pytest.raises(KeyNotFoundError):
        DfnsClient.from_config(config=client_config, reload=True)


def test_reload_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, key_file: Path) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "Y2kt")
    monkeypatch.setenv("DFNS_SIGNER", f"pem:?path={key_file}")

    with pytest.raises(ConfigurationError, match="'reload' needs a configuration file"):
        load_signer(reload=True)


def made_in_code() -> Mapping[str, Any]:
    key = PemKey.from_pem(private_pem(private_key("Ed25519")))
    return {"signer": KeySigner(key, "Y2kt")}


def test_reload_is_refused_where_the_configuration_chooses_no_signer(client_config: Path) -> None:
    with pytest.raises(ConfigurationError, match="leave 'reload' out"):
        DelegatedDfnsClient.from_config(config=client_config, reload=True)
    with pytest.raises(ConfigurationError, match="leave 'reload' out"):
        DfnsClient.from_config(config=client_config, reload=True, **made_in_code())
