"""Files that appear under their name only once they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from synthvae.errors import OutputError


@contextmanager
def complete(path: str | Path) -> Iterator[Path]:
    """A path beside ``path`` to write to, renamed to it when the block ends well and removed when it does not."""
    target = Path(path)
    if target.is_dir():  # a rename onto a folder would fail only once all is written
        raise OutputError(f"Expected the name of a file to write. Received: {target}, a folder.")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield temporary
        with told(target):
            os.replace(temporary, target)
    finally:
        # after the rename there is nothing to remove, and where the folder is none there never was
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def told(path: str | Path, *more: type[Exception]) -> Iterator[None]:
    """Failures of the file system, and ``more``, as OutputError in the words of the reader."""
    caught: tuple[type[Exception], ...] = (OSError, *more)
    try:
        yield
    except caught as error:
        why = getattr(error, "strerror", None) or error
        raise OutputError(f"Could not write {path}: {why}. Nothing was left under that name.") from error


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, the whole file or none; OutputError where it cannot be written."""
    with complete(path) as temporary, told(path):
        temporary.write_text(text, encoding="utf-8")
