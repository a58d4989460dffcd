"""The walls of the house: who may import whom, and what must never be loaded or used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "synthvae"
LAYERS = (
    ("errors", "files"),
    ("backend",),
    ("tables", "networks", "bundle"),
    ("schema", "privacy"),
    ("codecs", "training", "evaluation"),
    ("generation", "engines", "surrogate"),
    (
        "synthesizer",
        "latent_tools",
        "fitting",
        "private_fitting",
        "finetuning",
        "augmenting",
        "saved",
        "sklearn",
        "card",
        "asking",
        "writing",
        "streaming",
    ),
    ("explorer", "demo", "cli"),
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
# Rooms of one layer are strangers; these are one room in two files.
ONE_ROOM = {
    *(
        (a, b)
        for a in ("synthesizer", "fitting", "private_fitting", "finetuning")
        for b in ("fitting", "augmenting", "saved", "card")
    ),
    *(("synthesizer", b) for b in ("asking", "streaming", "writing")),
    *(("streaming", b) for b in ("fitting", "saved")),
    *(("writing", b) for b in ("asking", "saved")),
    ("synthesizer", "latent_tools"),
    ("synthesizer", "finetuning"),
    ("synthesizer", "private_fitting"),
    ("sklearn", "synthesizer"),
    ("cli", "demo"),
    ("cli", "explorer"),
    ("files", "errors"),
}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def rooms_imported(path: Path) -> set[str]:
    dotted = (name.split(".") for name in imports(path))
    return {parts[1] for parts in dotted if parts[0] == "synthvae" and len(parts) > 1 and parts[1] in RANK}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_from_lower_layers(path: Path) -> None:
    own = room(path)
    strangers = {
        other
        for other in rooms_imported(path)
        if other != own and RANK[other] >= RANK[own] and (own, other) not in ONE_ROOM
    }
    assert not strangers


def test_every_room_has_a_layer() -> None:
    assert {room(path) for path in FILES} <= set(RANK)


@pytest.mark.parametrize("path", [p for p in FILES if room(p) == "networks"], ids=lambda p: p.name)
def test_networks_know_no_tables(path: Path) -> None:
    assert rooms_imported(path) <= {"networks", "errors", "backend"}
    assert not {name.split(".")[0] for name in imports(path)} & {"pandas", "pyarrow"}


@pytest.mark.parametrize("path", [p for p in FILES if room(p) == "codecs"], ids=lambda p: p.name)
def test_codecs_know_no_keras(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & {"keras", "tensorflow", "jax"}


@pytest.mark.parametrize("path", [p for p in FILES if room(p) == "evaluation"], ids=lambda p: p.name)
def test_evaluation_can_judge_anybody(path: Path) -> None:
    assert rooms_imported(path) <= {"evaluation", "errors", "files", "tables", "schema"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_one_room_imports_a_backend_and_none_unpickles(path: Path) -> None:
    top = {name.split(".")[0] for name in imports(path)}
    assert path.parent.name == "backend" or not top & {"tensorflow", "jax"}
    assert not top & {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"}
    assert "load_model" not in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_keras_is_first_imported_by_the_backend_which_keeps_it_quiet(path: Path) -> None:
    if "keras" in {name.split(".")[0] for name in imports(path)} and room(path) != "backend":
        assert "synthvae.backend" in imports(ROOT / room(path) / "__init__.py")


def test_files_stay_short() -> None:
    assert [path.name for path in FILES if len(path.read_text().splitlines()) > 400] == []


def test_importing_the_library_loads_nothing_heavy() -> None:
    heavy = ("tensorflow", "keras", "jax", "great_expectations", "scipy.stats")
    code = f"import sys, synthvae; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_loads_neither_backend_nor_pandas() -> None:
    heavy = ("tensorflow", "keras", "pandas", "pyarrow")
    code = f"import sys, synthvae.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
