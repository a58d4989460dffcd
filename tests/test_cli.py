"""The command line: journeys, exit codes, one clear message, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import synthvae as sv
from synthvae import cli
from tests.awkward import plain

pytestmark = pytest.mark.filterwarnings("default::synthvae.errors.CollapseWarning")
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


def command(*words: object) -> Said:
    """The command in a process of its own, as from a shell."""
    run = subprocess.run(
        [sys.executable, "-m", "synthvae.cli", *map(str, words)], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert "Traceback" not in run.stdout + run.stderr
    return Said(run.returncode, run.stdout, run.stderr)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """The same in this process, which need not load everything again."""

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["synthvae", *map(str, words)])
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back afterwards
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, table: pd.DataFrame, model: sv.Synthesizer) -> Path:
    """Two small tables, a model, and files that are none."""
    path = tmp_path_factory.mktemp("cli")
    plain(80).to_csv(path / "real.csv", index=False)
    plain(80).to_parquet(path / "real.parquet")
    table.to_parquet(path / "wide.parquet")
    model.save(path / "m.synthvae")
    (path / "junk.csv").write_bytes(b"\xff\xfe\x00,\n" * 9)
    (path / "junk.parquet").write_text("junk")
    (path / "junk.synthvae").write_text("junk")
    (path / "junk.json").write_text("{}")
    sv.infer_schema(plain(80)[["x"]]).save(path / "other.json")
    (path / "folder").mkdir()
    return path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in ("demo", "infer", "fit", "sample", "inspect"))
    for name in ("demo", "infer", "fit", "sample", "inspect"):
        assert CliRunner().invoke(cli.app, [name, "-h"]).exit_code == 0


def test_version_is_the_package_s() -> None:
    result = CliRunner().invoke(cli.app, ["--version"])
    assert result.exit_code == 0
    assert result.output.split() == ["synthvae", version("synthvae")]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_journey(run, folder: Path, tmp_path: Path, ending: str) -> None:  # type: ignore[no-untyped-def]
    real = folder / f"real.{ending}"
    said = run("infer", real, "-o", tmp_path / "schema.json")
    assert said.code == 0
    assert "categorical" in said.out
    assert sv.Schema.load(tmp_path / "schema.json").names == ("x", "kind")

    more = ("--schema", tmp_path / "schema.json", "--epochs", 2, "--seed", 3)
    said = run("fit", real, "-o", tmp_path / "m.synthvae", *more)
    assert said.code == 0
    assert "80 rows x 2 columns" in said.out
    assert f"Model written to {tmp_path / 'm.synthvae'}" in said.err

    fake = tmp_path / f"fake.{ending}"
    said = run("sample", tmp_path / "m.synthvae", "500", "-o", fake, "--seed", "4")
    assert said.code == 0
    assert f"500 rows written to {fake}" in said.err
    made = pd.read_csv(fake) if ending == "csv" else pd.read_parquet(fake)
    assert made.shape == (500, 2)
    assert made.dtypes.equals(plain().dtypes)

    said = run("inspect", tmp_path / "m.synthvae", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert told["card"]["seed"] == 3
    assert [column["name"] for column in told["schema"]["columns"]] == ["x", "kind"]
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("eagerly")
def test_the_same_seed_gives_the_same_bytes(run, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for ending in ("csv", "parquet"):
            fake = tmp_path / name / f"f.{ending}"
            assert run("sample", folder / "m.synthvae", 30, "-o", fake, "--seed", 1).code == 0
    assert run("sample", folder / "m.synthvae", 30, "-o", tmp_path / "c.csv", "--seed", 2).code == 0
    for ending in ("csv", "parquet"):
        assert (tmp_path / "a" / f"f.{ending}").read_bytes() == (tmp_path / "b" / f"f.{ending}").read_bytes()
    assert (tmp_path / "a" / "f.csv").read_bytes() != (tmp_path / "c.csv").read_bytes()
    assert pq.read_schema(tmp_path / "a" / "f.parquet").metadata[b"seed"] == b"1"


@pytest.mark.usefixtures("eagerly")
def test_the_same_seed_fits_the_same_model(run, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("a", "b"):
        words = ("fit", folder / "real.csv", "-o", tmp_path / name, "--epochs", 1, "--seed", 5)
        assert run(*words, "--checkpoint", tmp_path / f"{name}.npz").code == 0
    samples = [sv.load(tmp_path / name).sample(50, random_state=0) for name in ("a", "b")]
    pd.testing.assert_frame_equal(*samples)
    assert left(tmp_path) == ["a", "a.npz", "b", "b.npz"]


def test_inspect_tells_what_a_model_is(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    said = run("inspect", folder / "m.synthvae")
    assert said.code == 0
    assert all(name in said.out for name in ("income", "C-{digits:5}", "600 rows x 7 columns", "nats per row"))


UNUSABLE: dict[str, tuple[Sequence[str], str]] = {
    "no such table": (("fit", "gone.csv", "-o", "x"), "does not exist"),
    "an unreadable table": (("infer", "junk.parquet"), "Could not read"),
    "text that is not UTF-8": (("infer", "junk.csv"), "UTF-8"),
    "no such model": (("sample", "gone.synthvae", "5", "-o", "x.csv"), "no file"),
    "an unreadable model": (("inspect", "junk.synthvae"), "not a saved model"),
    "no such schema": (("fit", "real.csv", "-o", "x", "--schema", "gone.json"), "gone.json"),
    "an unreadable schema": (("fit", "real.csv", "-o", "x", "--schema", "junk.json"), "cannot be used as a schema"),
    "no such folder": (("fit", "real.csv", "-o", "gone/x"), "does not exist; create it"),
    "no such folder, sampling": (("sample", "m.synthvae", "5", "-o", "gone/x.csv"), "does not exist; create it"),
    "no such folder, inferring": (("infer", "real.csv", "-o", "gone/x.json"), "does not exist; create it"),
    "no such folder to resume": (("fit", "real.csv", "-o", "x", "--checkpoint", "gone/c"), "does not exist; create it"),
    "a folder for a file": (("fit", "real.csv", "-o", "folder"), "is a folder"),
    "another kind of file": (("sample", "m.synthvae", "5", "-o", "x.xlsx"), ".parquet or .pq or .csv"),
    "minus rows": (("sample", "m.synthvae", "--", "-5", "-o", "x.csv"), "Usage: synthvae"),
    "no rows at all": (("sample", "m.synthvae", "many", "-o", "x.csv"), "integer"),
    "no epochs": (("fit", "real.csv", "-o", "x", "--epochs", "0"), "epochs"),
    "no such flag": (("fit", "real.csv", "-o", "x", "--fast"), "--fast"),
    "no such command": (("train",), "train"),
    "more rows than keys": (("sample", "m.synthvae", "100001", "-o", "x.csv"), "'id'"),
}
FAILED: dict[str, tuple[Sequence[str], str]] = {
    "a table that does not obey the schema": (
        ("fit", "real.csv", "-o", "x", "--schema", "other.json"), "'kind' is not in the schema",
    ),
    "too few rows": (("infer", "few.csv"), "too few to learn from"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [(*case, 2) for case in UNUSABLE.values()] + [(*case, 1) for case in FAILED.values()],
    ids=[*UNUSABLE, *FAILED],
)
def test_what_cannot_be_done_is_one_clear_message(  # type: ignore[no-untyped-def]
    run, folder: Path, monkeypatch: pytest.MonkeyPatch, words: Sequence[str], says: str, code: int
) -> None:
    monkeypatch.chdir(folder)
    plain(5).to_csv("few.csv", index=False)
    before = left(folder)
    said = run(*words)
    assert said.code == code, said
    assert says in " ".join((said.out + said.err).split())
    assert "Traceback" not in said.err
    assert said.out == "" or code == 0
    assert left(folder) == before


@pytest.mark.slow
def test_a_shell_sees_the_same(folder: Path, tmp_path: Path) -> None:
    said = command("infer", folder / "wide.parquet")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) > 80  # a pipe gets whole lines
    said = command("infer", folder / "gone.csv")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Error: Expected a file.")
    assert command("fit", folder / "real.csv", "-o", tmp_path / "m", "--schema", folder / "other.json").code == 1
    assert left(tmp_path) == []


@pytest.mark.slow
def test_the_demonstration(tmp_path: Path) -> None:
    said = command("demo", "--epochs", 1, "-o", tmp_path / "demo")
    assert said.code == 0, said
    assert left(tmp_path / "demo") == [
        "adult.synthvae",
        "holdout.parquet",
        "report.html",
        "synthetic.parquet",
        "train.parquet",
    ]
    tables = {name: pq.read_table(tmp_path / "demo" / f"{name}.parquet") for name in ("train", "holdout", "synthetic")}
    assert tables["synthetic"].num_rows == tables["holdout"].num_rows > 14_000
    assert tables["synthetic"].schema.equals(tables["train"].schema)
    assert "The synthetic table beside real rows held out" in said.out
    assert "synthvae sample" in said.out
    assert len(sv.load(tmp_path / "demo" / "adult.synthvae").sample(5)) == 5


def test_sample_writes_a_folder_of_parts_and_goes_on_with_it(run, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    words = ("sample", folder / "m.synthvae", 90, "-o", tmp_path / "rows")
    assert run(*words, "--rows-per-part", 40, "--seed", 1).code == 0
    assert [name for name in left(tmp_path / "rows") if name.endswith(".parquet")] == [
        f"part-0000{part}.parquet" for part in range(3)
    ]
    again = run(*words, "--parts", 3)
    assert again.code == 1
    assert "already holds rows" in again.err
    (tmp_path / "rows" / "part-00001.parquet").unlink()
    assert run(*words, "--resume").code == 0
    assert pq.read_table(tmp_path / "rows").num_rows == 90
    assert run(*words, "--engine", "dask").code == 2
