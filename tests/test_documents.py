"""Everything the documents show is run: README snippets, examples, docstring examples."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synthvae import cli
from synthvae.demo.run import load_adult

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PUBLIC = sorted(path for path in (ROOT / "synthvae").rglob("*.py") if ">>>" in path.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the snippets speak of."""
    here = tmp_path_factory.mktemp("readme")
    (here / "synthvae-demo").mkdir()
    few, others = load_adult().slice(0, 600), load_adult().slice(600, 600)
    for place in (here, here / "synthvae-demo"):
        pq.write_table(few, place / ("people.parquet" if place == here else "train.parquet"))
        pq.write_table(others, place / "holdout.parquet")
    return here


@pytest.mark.slow
def test_python_snippets_of_the_readme_run(folder: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippets
    subprocess.run([sys.executable, "-W", "error", "-c", "\n".join(snippets)], cwd=folder, check=True)
    assert pq.read_metadata(folder / "fake.parquet").num_rows == 5000
    assert "<html" in (folder / "report.html").read_text()
    assert "<html" in (folder / "quality.html").read_text()


@pytest.mark.slow
def test_shell_snippets_of_the_readme_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back afterwards
    shown = re.findall(r"^synthvae (?:infer|fit|sample|impute|inspect|evaluate|check) .*$", README, re.MULTILINE)
    lines = [line.split("#")[0] for line in shown]
    assert len(lines) == 10
    for line in lines:
        # one epoch gives no good shape
        words = shlex.split(line.replace("shape>=0.9", "shape>=0.1"))
        words += ["--epochs", "1"] if "synthvae fit" in line else []
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert not left.value.code
    assert pq.read_metadata(folder / "fake.parquet").num_rows == 5000


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = "pip install '.[test]' && python -m pytest"
    assert command in README
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", str(example), "1"], check=True)


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_in_docstrings_are_true(path: Path) -> None:
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0
