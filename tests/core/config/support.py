"""Configuration files, key files and plugin distributions that tests write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from tests.core.keys import private_key, private_pem


def write_config(folder: Path, text: str, name: str = "config.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    path.chmod(0o600)
    return path


def write_key(folder: Path, name: str = "key.pem", algorithm: str = "Ed25519") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(private_pem(private_key(algorithm)))
    path.chmod(0o600)
    return path


def write_client_config(folder: Path, url: str, token: str, *more: str) -> Path:
    """A file whose default profile ``p`` has all that a client needs, with the key ``key.pem``."""
    lines = (
        'default_profile = "p"',
        "[profiles.p]",
        f'base_url = "{url}"',
        f'auth_token = "{token}"',
        'credential_id = "Y2kt"',
        'signer = "pem:?path=key.pem"',
        *more,
    )
    return write_config(folder, "\n".join(lines))


def write_distribution(
    site: Path, name: str, plugins: Mapping[str, str], *, version: str = "1.0"
) -> None:
    """Put a distribution into a folder of ``sys.path``.

    Args:
        site: that folder.
        name: of the distribution.
        plugins: source of the module of each plugin, by the name of its entry point; the module of
            ``no-cold`` is ``no_cold``.
        version: of the distribution.
    """
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
    )
    entries = [f"{plugin} = {module_of(plugin)}" for plugin in plugins]
    (metadata / "entry_points.txt").write_text(
        "\n".join(["[dfns_signers]", *entries, ""]), encoding="utf-8"
    )
    for plugin, source in plugins.items():
        (site / f"{module_of(plugin)}.py").write_text(dedent(source), encoding="utf-8")


def module_of(plugin: str) -> str:
    return plugin.replace("-", "_")
