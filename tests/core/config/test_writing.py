"""An edited configuration file is written, or left as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import ConfigurationError
from tests.secrecy import CANARY
from tests.support.local_variables import leaks_of

SIGNER = {"backend": "pem", "path": "key.pem"}
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def contents(folder: Path) -> list[str]:
    """Of all files in a folder."""
    return [file.read_text("utf-8") for file in folder.iterdir() if file.is_file()]


@POSIX
def test_new_file_is_for_its_owner_alone_in_a_folder_of_its_own(tmp_path: Path) -> None:
    edit = ConfigEdit(tmp_path / "new" / "config.toml")
    edit.put("p", {"signer": SIGNER})

    assert edit.is_new
    assert edit.write(keep_copy=True) is None
    assert not edit.is_new
    assert stat.S_IMODE(edit.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(edit.path.parent.stat().st_mode) == 0o700


@POSIX
def test_written_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = write(tmp_path / "config.toml", "[profiles.p]\n")
    file.chmod(0o640)

    edit = ConfigEdit(file)
    edit.set_default("p")
    edit.write()

    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@POSIX
def test_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    file = write(tmp_path / "real.toml", "[profiles.p]\n")
    link = tmp_path / "config.toml"
    link.symlink_to(file)

    edit = ConfigEdit(link)
    edit.set_default("p")
    copy = edit.write(keep_copy=True)

    assert link.is_symlink()
    assert file.read_text() == 'default_profile = "p"\n\n[profiles.p]\n'
    assert copy == tmp_path / "real.toml.bak"


def test_file_is_found_as_signing_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_CONFIG", str(tmp_path / "named.toml"))

    assert ConfigEdit().path == tmp_path / "named.toml"
    assert ConfigEdit(tmp_path / "given.toml").path == tmp_path / "given.toml"


def test_copy_has_the_file_as_it_was_and_is_not_made_twice(tmp_path: Path) -> None:
    edit = ConfigEdit(write(tmp_path / "config.toml", "[profiles.p]\n"))
    copies = []
    for name in ("a", "a", "b"):
        edit.set_default(name)
        copies.append(edit.write(keep_copy=True))

    contents = [copy.read_text() for copy in copies if copy]
    assert copies == [tmp_path / f"config.toml.bak{n}" for n in ("", "2", "2")]
    assert contents == ["[profiles.p]\n", *['default_profile = "a"\n\n[profiles.p]\n'] * 2]


@pytest.mark.parametrize("later", ["[profiles.q]\n", None])
def test_file_that_was_changed_meanwhile_is_left_as_it_is(
    tmp_path: Path, later: str | None
) -> None:
    edit = ConfigEdit(write(tmp_path / "config.toml", "[profiles.p]\n"))
    edit.set_default("p")
    edit.path.unlink() if later is None else edit.path.write_text(later)

    with pytest.raises(ConfigurationError, match="was changed meanwhile"):
        edit.write(keep_copy=True)

    assert contents(tmp_path) == ([later] if later else [])


def test_file_that_appeared_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    edit = ConfigEdit(tmp_path / "config.toml")
    edit.put("p", {"signer": SIGNER})
    write(edit.path, "[profiles.q]\n")

    with pytest.raises(ConfigurationError, match="was changed meanwhile"):
        edit.write()

    assert edit.path.read_text() == "[profiles.q]\n"


PUTS_PROFILES = """
import sys
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import ConfigurationError

left = [f"{sys.argv[2]}{number}" for number in range(20)]
while left:
    edit = ConfigEdit(sys.argv[1])
    edit.put(left[-1], {"credential_id": "cr"})
    try:
        edit.write()
    except ConfigurationError:
        continue
    left.pop()
"""


@POSIX
def test_processes_that_edit_the_file_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"

    processes = [
        subprocess.Popen([sys.executable, "-c", PUTS_PROFILES, str(file), name]) for name in "abc"
    ]

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len(ConfigEdit(file).profiles) == 60


@POSIX
def test_nothing_is_put_in_the_place_of_what_is_not_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "config.toml"
    os.mkfifo(pipe)

    with pytest.raises(ConfigurationError, match="is not a regular file"):
        ConfigEdit(pipe)

    assert stat.S_ISFIFO(pipe.stat().st_mode)


@POSIX
def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    link = tmp_path / "config.toml"
    link.symlink_to(link)

    with pytest.raises(
        ConfigurationError, match=r"config\.toml.*(leads nowhere|not a regular file)"
    ):
        ConfigEdit(link)


@POSIX
def test_file_that_cannot_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    import resource  # noqa: PLC0415  # POSIX has it

    edit = ConfigEdit(write(tmp_path / "config.toml", "[profiles.p]\n"))
    edit.set_default("p")
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, hard))
    try:
        with pytest.raises(ConfigurationError, match=r"config\.toml cannot be written: File too"):
            edit.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert contents(tmp_path) == ["[profiles.p]\n"]


def test_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    edit = ConfigEdit(tmp_path / "file" / "config.toml")
    edit.set_default("p")

    with pytest.raises(ConfigurationError, match=r"config\.toml cannot be written"):
        edit.write()


KILLED = """
import os, sys
from pathlib import Path
from dfns_signers.config.writing import ConfigEdit

replace, count = Path.replace, 0

def replace_or_die(path, target):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os._exit(9)
    return replace(path, target)

Path.replace = replace_or_die
edit = ConfigEdit(sys.argv[1])
edit.set_default("p")
edit.write(keep_copy=True)
"""


@pytest.mark.parametrize("step", [1, 2])
def test_process_killed_while_it_writes_leaves_the_file_and_the_next_one_makes_one_copy(
    tmp_path: Path, step: int
) -> None:
    file = write(tmp_path / "config.toml", "[profiles.p]\n")

    killed = subprocess.run([sys.executable, "-c", KILLED, file, str(step)], check=False)
    left = file.read_text()
    edit = ConfigEdit(file)
    edit.set_default("p")
    copy = edit.write(keep_copy=True)

    assert (killed.returncode, left) == (9, "[profiles.p]\n")
    assert copy is not None
    assert copy.read_text() == "[profiles.p]\n"
    assert set(tmp_path.glob("config.toml*")) == {file, copy}


# Refusals.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[profiles.p\n", "is not valid TOML"),
        ("timeout = 1\n", "unknown key 'timeout'"),
        ("[[profiles.p]]\n", "expected a table"),
        (b'[profiles.p]\nx = "\xff"\n', "is not valid TOML"),
    ],
)
def test_file_that_signing_refuses_is_refused(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ConfigEdit(write(tmp_path / "config.toml", text))


@POSIX
def test_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "config.toml", "")
    file.chmod(0o666)

    with pytest.raises(ConfigurationError, match="other users can write"):
        ConfigEdit(file)


def _put_what_toml_has_not(file: Path) -> None:
    ConfigEdit(file).put("p", {"auth_token": CANARY, "signer": {"pin": CANARY, "x": 1j}})


def _write_what_was_changed(file: Path) -> object:
    edit = ConfigEdit(file)
    edit.put("p", {"credential_id": "x"})
    file.write_text(f'[profiles.p]\nauth_token = "{CANARY}x"\n')
    return edit.write()


def _write_nowhere(file: Path) -> object:
    edit = ConfigEdit(file.parent / "config.toml" / "inner")
    edit.put("p", {"auth_token": CANARY})
    return edit.write()


def _read_what_is_damaged(file: Path) -> object:
    return ConfigEdit(write(file, f'[profiles.p]\nauth_token = "{CANARY}"\nx = \n'))


@pytest.mark.parametrize(
    "fail",
    [_put_what_toml_has_not, _write_what_was_changed, _write_nowhere, _read_what_is_damaged],
)
def test_no_error_leaves_with_a_secret_in_a_local_variable(
    tmp_path: Path, fail: Callable[[Path], object]
) -> None:
    file = write(tmp_path / "config.toml", f'[profiles.p]\nauth_token = "{CANARY}"\n')

    assert leaks_of(lambda: fail(file)) == []


def test_repr_shows_nothing_of_the_file(tmp_path: Path) -> None:
    edit = ConfigEdit(write(tmp_path / "config.toml", f'[profiles.p]\nauth_token = "{CANARY}"\n'))

    assert CANARY not in repr(edit) + repr(vars(edit))


def test_empty_variable_names_no_file_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_CONFIG", "")

    with pytest.raises(ConfigurationError, match="is empty; unset DFNS_CONFIG"):
        ConfigEdit()
