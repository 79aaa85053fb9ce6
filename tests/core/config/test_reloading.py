"""A client or signer made with ``reload=True`` signs with what the configuration file says."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
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
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.config import reloading
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ConfigurationError,
    KeyNotFoundError,
    KeyStoreUnavailableError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.signing_key import SigningKey
from tests.core.config.support import (
    write_client_config,
    write_config,
    write_distribution,
    write_key,
)
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.support.forking import in_forked_child

CHALLENGE = {"challenge": "Y2gt", "challengeIdentifier": "eyJ0"}
CREATE: dict[str, Any] = {"network": "EthereumSepolia"}
WAIT = 60


@pytest.fixture(autouse=True)
def every_call_looks_at_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "LOOK_INTERVAL", 0.0)


@pytest.fixture
def next_key(folder: Path, emulator: Emulator) -> str:
    """The credential of a second key, ``next.pem``, that the emulator knows, too."""
    write_key(folder, "next.pem", "ES256")
    emulator.register(public_pem(public_key("ES256")), credential_id="bmV4dA")
    return "bmV4dA"


def replaced(config: Path, *changes: tuple[str, str]) -> str:
    text = config.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


SWITCH = (("Y2kt", "bmV4dA"), ("path=key.pem", "path=next.pem"))


def replace_atomically(config: Path, text: str) -> None:
    write_config(config.parent, text, "config.toml.new").rename(config)


def edit_in_place(config: Path, text: str) -> None:
    config.write_text(text, encoding="utf-8")


def switch(config: Path) -> None:
    replace_atomically(config, replaced(config, *SWITCH))


def signed_with(signer: KeySigner) -> str:
    return signer.sign(CHALLENGE)["credentialAssertion"]["credId"]


def credentials_used(emulator: Emulator) -> list[str]:
    return [
        json.loads(request.body)["firstFactor"]["credentialAssertion"]["credId"]
        for request in emulator.requests
        if request.raw_path == "/auth/action"
    ]


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
    monkeypatch.setattr(reloading, "LOOK_INTERVAL", 3600.0)
    with load_signer(config=client_config, reload=True) as signer:
        signed_with(signer)
        switch(client_config)

        assert signed_with(signer) == "Y2kt"


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
            if record.levelno >= logging.WARNING and record.name == reloading.__name__
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

    assert len([one for one in caplog.records if one.name == reloading.__name__]) == 2


def test_file_that_is_gone_for_a_while_is_taken_when_it_is_back(
    client_config: Path, next_key: str
) -> None:
    with load_signer(config=client_config, reload=True) as signer:
        text = replaced(client_config, *SWITCH)
        client_config.unlink()
        without = signed_with(signer)
        write_config(client_config.parent, text)

        assert (without, signed_with(signer)) == ("Y2kt", next_key)


class Held:
    """A key in memory that signs when it is let, and says whether it was closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self.closed: dict[str, threading.Event] = {}
        held, original = self, PemBackend.open

        class HeldKey(PemKey):
            def _sign(self, message: bytes) -> Any:
                if "key.pem" in self.reference:
                    held.began.set()
                    assert held.go_on.wait(WAIT)
                return super()._sign(message)

            def _close(self) -> None:
                held.closed[Path(self.reference).name].set()

        def open_(self: PemBackend, options: PemOptions) -> SigningKey:
            key = original(self, options)
            key.__class__ = HeldKey
            held.closed[Path(key.reference).name] = threading.Event()
            return key

        monkeypatch.setattr(PemBackend, "open", open_)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def test_call_under_way_ends_with_the_signer_that_it_began_with_which_is_closed_then(
    client_config: Path, emulator: Emulator, next_key: str, held: Held
) -> None:
    with (
        DfnsClient.from_config(config=client_config, reload=True) as dfns,
        ThreadPoolExecutor() as pool,
    ):
        first = pool.submit(dfns.wallets.create, **CREATE)
        assert held.began.wait(WAIT)
        switch(client_config)
        dfns.wallets.create(**CREATE)
        assert credentials_used(emulator) == [next_key]
        assert not held.closed["key.pem"].is_set()
        held.go_on.set()
        first.result(WAIT)
        del first

        assert credentials_used(emulator) == [next_key, "Y2kt"]
        assert held.closed["key.pem"].wait(WAIT)
        assert not held.closed["next.pem"].is_set()
    assert held.closed["next.pem"].is_set()


def test_closing_closes_every_key_that_calls_still_sign_with(
    client_config: Path, next_key: str, held: Held
) -> None:
    held.go_on.set()
    signer: Any = load_signer(config=client_config, reload=True)
    bound = signer.for_call(AnnouncedCall("POST", "/wallets", ""))
    bound.sign(CHALLENGE)
    switch(client_config)
    signed_with(signer)
    assert signed_with(bound) == "Y2kt"

    signer.close()

    assert all(closed.is_set() for closed in held.closed.values())
    with pytest.raises(SigningKeyError, match="closed"):
        signed_with(signer)


def test_key_store_that_hangs_keeps_no_call_from_signing_with_the_old_key(
    client_config: Path,
    emulator: Emulator,
    next_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reloading, "PATIENCE", 0.2)
    go_on, original = threading.Event(), PemBackend.open

    def open_(self: PemBackend, options: PemOptions) -> SigningKey:
        if "next.pem" in str(options.path):
            assert go_on.wait(WAIT)
        return original(self, options)

    monkeypatch.setattr(PemBackend, "open", open_)
    with DfnsClient.from_config(config=client_config, reload=True) as dfns:
        switch(client_config)
        dfns.wallets.create(**CREATE)
        dfns.wallets.create(**CREATE)
        go_on.set()
        monkeypatch.setattr(reloading, "PATIENCE", float(WAIT))
        while dfns.wallets.create(**CREATE) and credentials_used(emulator)[-1] != next_key:
            pass

    assert credentials_used(emulator)[:2] == ["Y2kt", "Y2kt"]


def test_key_that_is_out_of_reach_for_a_while_is_tried_again_with_one_warning(
    client_config: Path,
    next_key: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    original, failures = PemBackend.open, [KeyStoreUnavailableError("away")] * 3

    def open_(self: PemBackend, options: PemOptions) -> SigningKey:
        if "next.pem" in str(options.path) and failures:
            raise failures.pop()
        return original(self, options)

    monkeypatch.setattr(PemBackend, "open", open_)
    with load_signer(config=client_config, reload=True) as signer:
        switch(client_config)
        first = signed_with(signer)
        while signed_with(signer) != next_key:
            pass

    assert first == "Y2kt"
    assert failures == []
    (warning,) = [one.getMessage() for one in caplog.records if one.name == reloading.__name__]
    assert warning.endswith("signing with credential Y2kt: away. It is tried again")


def test_secret_that_was_refused_is_not_tried_again(
    client_config: Path, next_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, tries = PemBackend.open, []

    def open_(self: PemBackend, options: PemOptions) -> SigningKey:
        if "next.pem" in str(options.path):
            tries.append(1)
            raise SecretRefusedError("a wrong PIN")
        return original(self, options)

    monkeypatch.setattr(PemBackend, "open", open_)
    with load_signer(config=client_config, reload=True) as signer:
        switch(client_config)
        for _ in range(200):  # no call waits for another try
            signed_with(signer)

    assert tries == [1]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_asynchronous_signature_waits_for_the_new_key(
    client_config: Path, next_key: str, backend: str
) -> None:
    with load_signer(config=client_config, reload=True) as signer:
        switch(client_config)
        assertion = anyio.run(signer.asign, CHALLENGE, backend=backend)

    assert assertion["credentialAssertion"]["credId"] == next_key


def openings_of(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    seen: list[threading.Thread] = []
    original = PemBackend.open

    def open_(self: PemBackend, options: PemOptions) -> SigningKey:
        seen.append(threading.current_thread())
        return original(self, options)

    monkeypatch.setattr(PemBackend, "open", open_)
    return seen


def test_concurrent_tasks_share_one_reload_that_runs_in_a_worker_thread(
    client_config: Path, emulator: Emulator, next_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = openings_of(monkeypatch)

    async def run() -> None:
        async with AsyncDfnsClient.from_config(config=client_config, reload=True) as dfns:
            await dfns.aopen()
            seen.clear()
            switch(client_config)
            await asyncio.gather(*(dfns.wallets.create(**CREATE) for _ in range(20)))

    asyncio.run(run())

    assert credentials_used(emulator) == [next_key] * 20
    assert len(seen) == 1
    assert seen[0] is not threading.current_thread()


def test_calls_of_many_threads_are_all_signed_while_the_file_goes_to_and_fro(
    client_config: Path, emulator: Emulator, next_key: str
) -> None:
    back = replaced(client_config)
    forth = replaced(client_config, *SWITCH)
    with (
        DfnsClient.from_config(config=client_config, reload=True) as dfns,
        ThreadPoolExecutor(8) as pool,
    ):
        calls = []
        for number in range(60):
            calls.append(pool.submit(dfns.wallets.create, **CREATE))
            if number % 10 == 0:
                replace_atomically(client_config, (forth, back)[number // 10 % 2])
        assert all(call.result(WAIT)["id"] for call in calls)

    assert set(credentials_used(emulator)) == {"Y2kt", next_key}


def test_forked_child_follows_the_file_by_itself(client_config: Path, next_key: str) -> None:
    write_config(client_config.parent, replaced(client_config, *SWITCH), "config.toml.next")
    found = in_forked_child(
        f"""
        from pathlib import Path
        from dfns_signers import load_signer
        from dfns_signers.config import reloading
        reloading.LOOK_INTERVAL = 0.0
        config = Path({str(client_config)!r})
        signer = load_signer(config=config, reload=True)
        signed_with = lambda: signer.sign({CHALLENGE!r})["credentialAssertion"]["credId"]
        signed_with()
        Path({str(client_config)!r} + ".next").rename(config)
        """,
        "[signed_with()]",
        after=f"assert signed_with() == {next_key!r}",
    )

    assert found == [next_key]


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
