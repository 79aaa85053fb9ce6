"""Calls that are under way, or wait, while the configuration file is read anew."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from dfns_signers import (
    AsyncDfnsClient,
    DfnsClient,
    PemKey,
    load_signer,
)
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.config import followed_profile
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    KeyStoreUnavailableError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.signing_key import SigningKey
from tests.core.config.changed_files import (
    CHALLENGE,
    CREATE,
    SWITCH,
    WAIT,
    credentials_used,
    every_call_looks_at_the_file,
    next_key,
    replace_atomically,
    replaced,
    signed_with,
    switch,
)
from tests.core.config.support import (
    write_config,
)
from tests.support.forking import in_forked_child

__all__ = ["every_call_looks_at_the_file", "next_key"]


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
    monkeypatch.setattr(followed_profile, "PATIENCE", 0.2)
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
        monkeypatch.setattr(followed_profile, "PATIENCE", float(WAIT))
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
    (warning,) = [
        one.getMessage() for one in caplog.records if one.name == followed_profile.__name__
    ]
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
        from dfns_signers.config import followed_profile
        followed_profile.LOOK_INTERVAL = 0.0
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
