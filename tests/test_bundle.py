"""Saved models: what goes in comes out, and nothing damaged, newer or hostile gets in."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthvae import bundle
from synthvae.errors import BundleError, OutputError

PARTS = bundle.Parts({"facts": {"a": [1, "ä", None]}}, {"numbers": np.arange(6.0).reshape(2, 3)})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.synthvae"
    bundle.write(path, PARTS, "0.1")
    return path


def rewrite(path: Path, change: dict[str, bytes | None], into: Path | None = None) -> Path:
    """The archive with some entries exchanged, added or (None) left out."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()} | change
    target = into or path
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries.items():
            if content is not None:
                archive.writestr(name, content)
    return target


def manifest(path: Path, **changes: object) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return json.dumps(json.loads(archive.read("manifest.json")) | changes).encode()


def test_round_trip(saved: Path) -> None:
    parts = bundle.read(saved)
    assert parts.documents == PARTS.documents
    np.testing.assert_array_equal(parts.arrays["numbers"], PARTS.arrays["numbers"])


def test_the_same_model_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    bundle.write(tmp_path / "again", PARTS, "0.1")
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()


def test_no_temporary_is_left(saved: Path) -> None:
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_an_unwritable_place_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Could not write"):
        bundle.write(tmp_path / "missing" / "model", PARTS, "0.1")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no file"):
        bundle.read(tmp_path / "nothing")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", b"\x80\x04K\x01."], ids=list("0ztp"))
def test_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(BundleError, match="not a saved model"):
        bundle.read(tmp_path / "m")


def test_a_newer_format_says_upgrade(saved: Path) -> None:
    rewrite(saved, {"manifest.json": manifest(saved, version=bundle.VERSION + 1)})
    with pytest.raises(BundleError, match="Upgrade"):
        bundle.read(saved)


@pytest.mark.parametrize("version", [0, "1", None, True, 1.0])
def test_a_version_that_is_no_number(saved: Path, version: object) -> None:
    rewrite(saved, {"manifest.json": manifest(saved, version=version)})
    with pytest.raises(BundleError):
        bundle.read(saved)


def test_another_format(saved: Path) -> None:
    rewrite(saved, {"manifest.json": manifest(saved, format="other")})
    with pytest.raises(BundleError, match="not of the format"):
        bundle.read(saved)


@pytest.mark.parametrize(
    "change", [{"facts.json": b"{}"}, {"extra.json": b"{}"}, {"numbers.npy": None}, {"../up.json": b"{}"}]
)
def test_changed_added_and_missing_files(saved: Path, change: dict[str, bytes | None]) -> None:
    rewrite(saved, change)
    with pytest.raises(BundleError, match="damaged"):
        bundle.read(saved)


def test_a_pickled_array_is_refused(saved: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    _with_array(saved, buffer.getvalue())
    with pytest.raises(BundleError, match="not an array"):
        bundle.read(saved)


def test_an_array_of_text_is_refused(saved: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array(["a"]))
    _with_array(saved, buffer.getvalue())
    with pytest.raises(BundleError, match="expected numbers"):
        bundle.read(saved)


def test_an_array_that_declares_more_than_it_holds(saved: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    _with_array(saved, b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(BundleError, match="not an array"):
        bundle.read(saved)


def test_unpacking_is_bounded(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LARGEST", 10)
    with pytest.raises(BundleError, match="unpack"):
        bundle.read(saved)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.booleans())
def test_any_damage_is_one_clear_error_or_harmless(
    saved: Path, tmp_path: Path, place: int, value: int, cut: bool
) -> None:
    content = bytearray(saved.read_bytes())
    place %= len(content)
    content = content[:place] if cut else content[:place] + bytes([value]) + content[place + 1 :]
    (tmp_path / "damaged").write_bytes(content)
    try:
        parts = bundle.read(tmp_path / "damaged")
    except BundleError:
        return
    assert parts.documents == PARTS.documents


def _with_array(path: Path, content: bytes) -> None:
    import hashlib

    with zipfile.ZipFile(path) as archive:
        files = json.loads(archive.read("manifest.json"))["files"]
    files["numbers.npy"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewrite(path, {"manifest.json": manifest(path, files=files), "numbers.npy": content})
