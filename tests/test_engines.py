"""Engines: whoever makes the parts, and whoever dies meanwhile, the folder holds every row once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthvae as sv
from synthvae.engines import ENGINES, engine
from synthvae.engines.work import Cut, Work
from synthvae.errors import EngineError, OutputError, ParameterError
from synthvae.tables.parts import MANIFEST, PartFolder

ROOT = Path(__file__).parent.parent
JOB = {"rows": "1000", "seed": "1"}
SCHEMA = pa.schema([("row", pa.int64())])
heavy = [pytest.param(name, marks=pytest.mark.slow) for name in ("ray", "spark")]
ALL = [None, "local", *heavy]


@dataclass(frozen=True)
class Numbers:
    """Rows that are their own numbers; ``deadly`` (a file that is not there yet): the first who asks is killed."""

    deadly: Path | None = None
    always: bool = False
    fails: bool = False

    def __call__(self, first: int, rows: int) -> Iterator[pa.RecordBatch]:
        half = rows // 2
        yield pa.record_batch([pa.array(range(first, first + half))], schema=SCHEMA)
        if self.fails:
            raise ParameterError("no more rows")
        if self.always or (self.deadly is not None and not self.deadly.exists()):
            (self.deadly or Path()).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield pa.record_batch([pa.array(range(first + half, first + rows))], schema=SCHEMA)


def work(folder: Path, generate: Numbers, rows: int = 1000) -> Work:
    there = PartFolder.at(folder)
    return Work(generate, Cut(rows, 128), there, SCHEMA, there.notes(JOB))


def rows_of(folder: Path) -> list[int]:
    parts = sorted(folder.glob("*.parquet"))
    return [row for part in parts for row in pq.read_table(part)["row"].to_pylist()]


def ready(name: str | None) -> None:
    if name in ("ray", "spark"):
        pytest.importorskip({"ray": "ray", "spark": "pyspark"}[name])
        os.environ["PYTHONPATH"] = str(ROOT)  # so that their workers find this file


def test_every_engine_is_tested() -> None:
    assert {name if name is None or isinstance(name, str) else name.values[0] for name in ALL} == set(ENGINES)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore")
def test_every_part_is_made_once(name: str | None, tmp_path: Path) -> None:
    ready(name)
    done = list(engine(name)(work(tmp_path, Numbers()), range(8), 2))
    assert sorted(done) == list(range(8))
    assert rows_of(tmp_path) == list(range(1000))
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".parquet"] == []


@pytest.mark.parametrize("name", [name for name in ALL if name is not None])
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_costs_no_row_and_doubles_none(name: str, tmp_path: Path) -> None:
    ready(name)
    killed, folder = tmp_path / "killed", tmp_path / "rows"
    PartFolder.at(folder).start(JOB, resume=False)
    done = list(engine(name)(work(folder, Numbers(killed)), range(8), 2))
    assert killed.exists()
    assert set(done) == set(range(8))
    PartFolder.at(folder).finish(JOB)
    assert rows_of(folder) == list(range(1000))
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, *(PartFolder.name(part) for part in range(8))]


@pytest.mark.slow
def test_workers_that_always_die_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="died 5 times"):
        list(engine("local")(work(tmp_path, Numbers(tmp_path / "killed", always=True)), range(2), 1))


def test_an_error_leaves_no_half_part(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no more rows"):
        list(engine(None)(work(tmp_path, Numbers(fails=True)), range(8), None))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(ParameterError, match="'local', 'ray', 'spark'; got 'dask'"):
        engine("dask")


# --- the folder -------------------------------------------------------------------------------------------------------


def test_missing_are_parts_that_are_not_there_not_whole_or_not_of_the_job(tmp_path: Path) -> None:
    folder, sizes = PartFolder.at(tmp_path), dict.fromkeys(range(7), 128) | {7: 104}
    folder.start(JOB, resume=False)
    assert folder.missing(sizes, JOB) == list(range(8))
    list(engine(None)(work(tmp_path, Numbers()), range(8), None))
    assert folder.missing(sizes, JOB) == []
    (tmp_path / PartFolder.name(2)).write_bytes(b"PAR1 half a file")
    pq.write_table(pa.table({"row": range(128)}), tmp_path / PartFolder.name(3))
    (tmp_path / PartFolder.name(7)).unlink()
    assert folder.missing(sizes, JOB) == [2, 3, 7]


def test_a_folder_belongs_to_one_job(tmp_path: Path) -> None:
    folder = PartFolder.at(tmp_path / "rows")
    folder.start({"seed": "0"}, resume=False)
    folder.start(JOB, resume=False)  # nothing was written yet
    list(engine(None)(work(tmp_path / "rows", Numbers()), [0], None))
    with pytest.raises(OutputError, match="already holds rows"):
        folder.start(JOB, resume=False)
    with pytest.raises(OutputError, match="differs in seed"):
        folder.start(JOB | {"seed": "2"}, resume=True)
    folder.start(JOB, resume=True)


def test_other_files_are_not_written_among(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        PartFolder.at(tmp_path).start(JOB, resume=True)
    with pytest.raises(OutputError):
        PartFolder.at(tmp_path / "diary.txt").start(JOB, resume=False)


def test_any_file_system_will_do(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    folder = PartFolder.at("memory://bucket/rows")
    folder.start(JOB, resume=False)
    list(engine(None)(Work(Numbers(), Cut(300, 128), folder, SCHEMA, folder.notes(JOB)), range(3), None))
    assert folder.missing({0: 128, 1: 128, 2: 44}, JOB) == []
    with pytest.raises(OutputError, match="fsspec"):
        PartFolder.at("nothing://bucket/rows").start(JOB, resume=False)


def read(model: sv.Synthesizer, folder: Path) -> object:
    """The parts as the kind of table that was fitted."""
    return model.schema_.restore(pq.read_table(folder))


# --- a model's rows ---------------------------------------------------------------------------------------------------


def test_parts_together_are_the_rows_of_one_call(model: sv.Synthesizer, tmp_path: Path) -> None:
    heard: list[int] = []
    folder = tmp_path / "rows"
    model.write(folder, 1500, rows_per_part=700, random_state=1, progress=heard.append)
    pd.testing.assert_frame_equal(read(model, folder), model.sample(1500, random_state=1))
    assert heard == [0, 700, 700, 100]
    footer = pq.read_metadata(folder / "part-00001.parquet").metadata
    assert (footer[b"synthetic"], footer[b"seed"], footer[b"first row"]) == (b"true", b"1", b"700")


@pytest.mark.slow
def test_workers_of_this_machine_make_the_same_rows(model: sv.Synthesizer, tmp_path: Path) -> None:
    wish = {"age": sv.Between(30, 60)}
    model.write(tmp_path / "rows", 1500, wish, engine="local", parts=2, workers=1, random_state=1)
    pd.testing.assert_frame_equal(read(model, tmp_path / "rows"), model.sample(1500, wish, random_state=1))


def test_a_killed_call_is_gone_on_with(model: sv.Synthesizer, tmp_path: Path) -> None:
    class EnoughError(Exception):
        """Whoever listens is struck down."""

    def strike(rows: int) -> None:
        if rows:
            raise EnoughError

    folder = tmp_path / "rows"
    with pytest.raises(EnoughError):
        model.write(folder, 1500, parts=3, random_state=1, progress=strike)
    assert [path.name for path in folder.glob("*.parquet")] == ["part-00000.parquet"]
    written = (folder / "part-00000.parquet").stat().st_mtime_ns
    heard: list[int] = []
    model.write(folder, 1500, resume=True, progress=heard.append)  # seed and parts are those of the call before
    assert heard == [500, 500, 500]
    assert (folder / "part-00000.parquet").stat().st_mtime_ns == written
    pd.testing.assert_frame_equal(read(model, folder), model.sample(1500, random_state=1))
    model.write(folder, 1500, resume=True)  # nothing is left to do


def test_rows_of_another_model_are_not_mixed_in(model: sv.Synthesizer, table: pd.DataFrame, tmp_path: Path) -> None:
    model.write(tmp_path / "rows", 100, parts=1, random_state=1)
    model.save(tmp_path / "m.synthvae")
    sv.load(tmp_path / "m.synthvae").write(tmp_path / "rows", 100, resume=True)
    with pytest.raises(OutputError, match="differs in rows, rows_per_part"):
        model.write(tmp_path / "rows", 120, parts=2, resume=True)
    with pytest.raises(OutputError, match="differs in where"):
        model.write(tmp_path / "rows", 100, {"age": sv.Between(30, None)}, resume=True)


@pytest.mark.usefixtures("eagerly")
def test_rules_that_parts_cannot_keep_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    schema = sv.infer_schema(table)
    predicate = sv.Predicate("of age", lambda rows: rows["age"] >= 17)
    model = sv.Synthesizer(schema.with_constraints(predicate), epochs=1, random_state=0).fit(table)
    with pytest.raises(ParameterError, match="do not travel"):
        model.write(tmp_path / "rows", 10, engine="local")
    model.write(tmp_path / "rows", 10, parts=1)
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("wrong", [{"parts": 0}, {"parts": 2, "rows_per_part": 5}, {"workers": -1}])
def test_layouts_that_are_none(model: sv.Synthesizer, tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ParameterError):
        model.write(tmp_path / "rows", 10, **wrong)
    assert not (tmp_path / "rows").exists()


# --- killed as a whole ------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from tests.test_engines import JOB, Numbers, work
from synthvae.engines import engine
from synthvae.tables.parts import PartFolder

if __name__ == "__main__":
    folder, killed = Path(sys.argv[1]), Path(sys.argv[2])
    PartFolder.at(folder).start(JOB, resume=True)
    for part in engine(None)(work(folder, Numbers(killed)), [3, 0, 1, 2, 4, 5, 6, 7][int(sys.argv[3]):], None):
        print(part)
    PartFolder.at(folder).finish(JOB)
"""


def test_a_job_killed_as_a_whole_goes_on(tmp_path: Path) -> None:
    script, folder, killed = tmp_path / "job.py", tmp_path / "rows", tmp_path / "killed"
    script.write_text(SCRIPT)
    run = [sys.executable, script, folder, killed]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    first = subprocess.run([*run, "0"], env=environment, check=False)
    assert first.returncode == -signal.SIGKILL
    left = [path.name for path in folder.iterdir()]
    assert any(name.endswith(".tmp") for name in left)
    assert "part-00003.parquet" not in left  # never a half file under the final name
    sizes = dict.fromkeys(range(7), 128) | {7: 104}
    assert PartFolder.at(folder).missing(sizes, JOB) == list(range(8))
    subprocess.run([*run, "0"], env=environment, check=True)
    assert rows_of(folder) == list(range(1000))
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]
