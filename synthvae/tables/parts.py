"""A folder of Parquet parts on any file system: a part appears under its name once complete, and none is made twice.

``_synthvae.json`` in the folder says which job its parts belong to and whether all are there; readers of Parquet
folders pass over names that begin with an underscore or a dot. A part is written beside its place and renamed (an
object store shows it once the upload is complete), and its own footer repeats the job, so that a killed job goes on
where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pfs
import pyarrow.parquet as pq

from synthvae.errors import OutputError
from synthvae.files import told

MANIFEST = "_synthvae.json"
JOB = b"synthvae job"  # in a part's footer
UNREADABLE = (OSError, pa.ArrowException)


@dataclass(frozen=True)
class PartFolder:
    """A folder by its path or URL (``s3://bucket/table``; what Arrow does not know, fsspec may)."""

    url: str

    @classmethod
    def at(cls, path: str | Path) -> PartFolder:
        """Paths of this machine are made absolute: a worker may stand elsewhere."""
        text = str(path)
        return cls(text if "://" in text else str(Path(text).absolute()))

    @staticmethod
    def name(part: int) -> str:
        """The file name of a part."""
        return f"part-{part:05d}.parquet"

    def start(self, job: Mapping[str, str], resume: bool) -> None:
        """Claim the folder for a job; OutputError where it holds anything but parts of the same one to go on with."""
        held = self.manifest()
        if held is None:
            with told(self.url, pa.ArrowException):
                self._fs.create_dir(self._path, recursive=True)
            if self._files():
                raise OutputError(f"Expected an empty or a new folder. Received: {self.url}, which holds other files.")
            self._note(job, complete=False)
        elif not resume and not any(name.endswith(".parquet") for name in self._files()):
            self._note(job, complete=False)  # whoever claimed it did not come to write
        elif not resume:
            raise OutputError(
                f"{self.url} already holds rows of an earlier call. Go on with it (resume), or name another folder."
            )
        elif held["job"] != dict(job):
            differ = ", ".join(name for name in job if held["job"].get(name) != job[name])
            raise OutputError(
                f"{self.url} holds parts of another call, which cannot be resumed: it differs in {differ}. "
                "Name another folder."
            )

    def manifest(self) -> dict[str, Any] | None:
        """What the folder says of itself, None where it says nothing; OutputError where that cannot be read."""
        if self._fs.get_file_info(self._in(MANIFEST)).type != pfs.FileType.File:
            return None
        try:
            with self._fs.open_input_stream(self._in(MANIFEST)) as file:
                told_ = json.loads(file.read())
            return {"job": dict(told_["job"]), "complete": bool(told_["complete"])}
        except (*UNREADABLE, ValueError, KeyError, TypeError) as error:
            raise OutputError(f"The {MANIFEST} in {self.url} cannot be read; delete the folder.") from error

    def missing(self, sizes: Mapping[int, int], job: Mapping[str, str]) -> list[int]:
        """The parts, of so many rows each, that are not there whole."""
        there = {name for name in self._files() if name.endswith(".parquet")}
        return [
            part for part, rows in sizes.items() if self.name(part) not in there or not self._whole(part, rows, job)
        ]

    def write(self, part: int, batches: Iterable[pa.RecordBatch], schema: pa.Schema, notes: Mapping[str, str]) -> None:
        """Write one part, a row group per batch; OutputError where it cannot be, an error of the iterator goes through.

        Two that write the same part at once do no harm: each writes beside, and the rows are the same.
        """
        beside, place = self._in(f".{self.name(part)}.{uuid4().hex}.tmp"), self._in(self.name(part))
        try:
            with told(place, pa.ArrowException):
                writer = pq.ParquetWriter(beside, schema.with_metadata(dict(notes)), filesystem=self._fs)
            try:
                for batch in batches:
                    with told(place, pa.ArrowException):
                        writer.write_batch(batch)
            finally:
                with told(place, pa.ArrowException):
                    writer.close()
            with told(place, pa.ArrowException):
                self._fs.move(beside, place)
        except BaseException:
            with suppress(*UNREADABLE):
                self._fs.delete_file(beside)
            raise

    def finish(self, job: Mapping[str, str]) -> None:
        """Say that all parts are there, and take away what killed workers left."""
        for name in self._files():
            if name.startswith(".part-") and name.endswith(".tmp"):
                with suppress(*UNREADABLE):
                    self._fs.delete_file(self._in(name))
        self._note(job, complete=True)

    def _note(self, job: Mapping[str, str], complete: bool) -> None:
        content = json.dumps({"job": dict(job), "complete": complete}, indent=2) + "\n"
        beside = self._in(f".{MANIFEST}.{uuid4().hex}.tmp")
        with told(self._in(MANIFEST), pa.ArrowException):
            with self._fs.open_output_stream(beside) as file:
                file.write(content.encode())
            self._fs.move(beside, self._in(MANIFEST))

    def _whole(self, part: int, rows: int, job: Mapping[str, str]) -> bool:
        try:
            footer = pq.read_metadata(self._in(self.name(part)), filesystem=self._fs)
        except UNREADABLE:
            return False
        return bool(footer.num_rows == rows and (footer.metadata or {}).get(JOB) == _mark(job))

    def notes(self, job: Mapping[str, str]) -> dict[str, str]:
        """What a part's footer says of the job."""
        return {JOB.decode(): _mark(job).decode()}

    def _files(self) -> list[str]:
        found = self._fs.get_file_info(pfs.FileSelector(self._path, allow_not_found=True))
        return sorted(info.base_name for info in found)

    def _in(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    @cached_property
    def _fs(self) -> pfs.FileSystem:
        return self._opened[0]

    @cached_property
    def _path(self) -> str:
        return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[pfs.FileSystem, str]:
        if "://" not in self.url:
            return pfs.LocalFileSystem(), self.url
        try:
            found: tuple[pfs.FileSystem, str] = pfs.FileSystem.from_uri(self.url)
            return found
        except pa.ArrowInvalid:
            return _by_fsspec(self.url)


def _mark(job: Mapping[str, str]) -> bytes:
    return json.dumps(dict(job), sort_keys=True).encode()


def _by_fsspec(url: str) -> tuple[pfs.FileSystem, str]:
    try:
        found, path = import_module("fsspec.core").url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise OutputError(
            f"Expected a path, or a URL of a file system that Arrow or fsspec knows. Received: {url} ({error}). "
            "pip install fsspec and its package for this kind of URL."
        ) from error
    return pfs.PyFileSystem(pfs.FSSpecHandler(found)), path
