"""A saved model: one zip of JSON documents and arrays. Never pickle, never a training row.

``manifest.json`` names the format, its number, the library version, and for every other file its size and SHA-256.
Reading trusts nothing: names, sizes and hashes are checked before a byte is interpreted. To change the format, raise
``VERSION`` and add to ``MIGRATIONS`` the function that lifts the old documents by one.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthvae.errors import BundleError
from synthvae.files import complete, told

FORMAT = "synthvae"
VERSION = 2
LARGEST = 4 << 30  # bytes a bundle may unpack to; the largest model the defaults can make is under 1 GiB
NAME = re.compile(r"[a-z0-9_]{1,80}\.(json|npy)")
EPOCH = (2020, 1, 1, 0, 0, 0)  # of every entry: the same model gives the same bytes


@dataclass(frozen=True)
class Parts:
    """The content of a bundle: JSON documents and arrays by name (letters a-z, digits, underscores)."""

    documents: dict[str, Any]
    arrays: dict[str, np.ndarray[Any, Any]]


def _with_prior(parts: Parts) -> Parts:
    """1 to 2: every prior was N(0, I)."""
    return Parts({"prior": {"kind": "standard_normal"}} | parts.documents, parts.arrays)


MIGRATIONS: dict[int, Callable[[Parts], Parts]] = {1: _with_prior}  # from that number to the next


def write(path: str | Path, parts: Parts, library_version: str) -> None:
    """Write a bundle beside its place, then rename it there."""
    files = {f"{name}.json": _json_bytes(document) for name, document in parts.documents.items()}
    files |= {f"{name}.npy": _array_bytes(array) for name, array in parts.arrays.items()}
    listing = {n: {"bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()} for n, c in sorted(files.items())}
    manifest = {"format": FORMAT, "version": VERSION, "library": library_version, "files": listing}
    with (
        complete(path) as beside,
        told(path),
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped,
    ):
        for name, content in {"manifest.json": _json_bytes(manifest), **dict(sorted(files.items()))}.items():
            zipped.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


def read(path: str | Path) -> Parts:
    """Read a bundle, checked and migrated to the current format."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            files = {name: _content(archive, name, entry, path) for name, entry in manifest["files"].items()}
    except FileNotFoundError as error:
        raise BundleError(f"There is no file {str(path)!r}.") from error
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BundleError(f"{str(path)!r} is not a saved model, or a damaged one: {error}") from error
    parts = _parse(files, path)
    for version in range(manifest["version"], VERSION):
        parts = MIGRATIONS[version](parts)
    return parts


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    """The manifest, once it is clear that the archive holds just what it lists."""
    names = archive.namelist()
    if "manifest.json" not in names or archive.getinfo("manifest.json").file_size > 1 << 20:
        raise BundleError(f"{str(path)!r} is not a saved model: it has no manifest.json of a sensible size.")
    manifest = _json(archive.read("manifest.json"), "manifest.json", path)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(f"{str(path)!r} is not a saved model: its manifest is not of the format {FORMAT!r}.")
    version, files = manifest.get("version"), manifest.get("files")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1 or not isinstance(files, dict):
        raise BundleError(f"{str(path)!r} is damaged: its manifest lacks a version or a list of files.")
    if version > VERSION:
        raise BundleError(
            f"{str(path)!r} was saved in format {version} by synthvae {manifest.get('library')!s:.20}; this version "
            f"reads formats up to {VERSION}. Upgrade synthvae."
        )
    strange = [n for n in files if not NAME.fullmatch(n)]
    if strange or sorted(names) != sorted([*files, "manifest.json"]):
        raise BundleError(f"{str(path)!r} is damaged: the files inside are not the ones its manifest lists.")
    if sum(archive.getinfo(name).file_size for name in names) > LARGEST:
        raise BundleError(f"{str(path)!r} would unpack to more than {LARGEST >> 30} GiB; no saved model is that large.")
    return manifest


def _content(archive: zipfile.ZipFile, name: str, entry: Any, path: Path) -> bytes:
    """One file, once size and hash agree with the manifest."""
    info = archive.getinfo(name)
    if not isinstance(entry, dict) or entry.get("bytes") != info.file_size:
        raise BundleError(f"{str(path)!r} is damaged: {name} has {info.file_size} bytes, not what the manifest says.")
    with archive.open(info) as file:
        content = file.read(info.file_size + 1)
    if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        raise BundleError(f"{str(path)!r} is damaged: the SHA-256 of {name} is not what the manifest says.")
    return content


def _parse(files: dict[str, bytes], path: Path) -> Parts:
    documents = {n.removesuffix(".json"): _json(c, n, path) for n, c in files.items() if n.endswith(".json")}
    arrays = {n.removesuffix(".npy"): _array(c, n, path) for n, c in files.items() if n.endswith(".npy")}
    return Parts(documents, arrays)


def _json(content: bytes, name: str, path: Path) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{str(path)!r} is damaged: {name} is not JSON.") from error


def _array(content: bytes, name: str, path: Path) -> np.ndarray[Any, Any]:
    try:
        array: np.ndarray[Any, Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError, SyntaxError, TypeError, OverflowError) as error:
        raise BundleError(f"{str(path)!r} is damaged: {name} is not an array.") from error
    if array.dtype.kind not in "biuf":
        raise BundleError(f"{str(path)!r} is damaged: {name} holds {array.dtype}, expected numbers.")
    return array


def _json_bytes(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()
