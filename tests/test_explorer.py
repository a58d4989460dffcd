"""The explorer without a browser: who may ask, what it says, and what it must never say."""

from __future__ import annotations

import base64
import io
import json
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.errors import ParameterError, TableError
from synthvae.explorer import asking, cells, latent, plane, serve, strange
from synthvae.explorer.app import build
from tests.explored import IMAGE, SCRIPT, SECRET, planted

ADDRESS, BASE = "/hidden/", "http://127.0.0.1:5000"


@pytest.fixture(scope="module")
def model(explored: sv.Synthesizer) -> sv.Synthesizer:
    return explored


@pytest.fixture(scope="module")
def own() -> pa.Table:
    return tables.read(planted())[0]


@pytest.fixture(scope="module")
def chart(model: sv.Synthesizer, own: pa.Table) -> plane.Chart:
    return plane.chart(model, own, seed=0)


@pytest.fixture(scope="module")
def client(model: sv.Synthesizer, own: pa.Table) -> Iterator[Any]:
    with build(model, f"{SCRIPT}.synthvae", own, "mine.csv", ADDRESS).server.test_client() as asking_client:
        yield asking_client


def said(element: Any) -> str:
    """Everything that an element sends to the page."""
    return json.dumps(element, default=lambda part: part.to_plotly_json())


# --- who may ask ------------------------------------------------------------------------------------------------------


def test_the_page_is_below_its_address_only(client: Any) -> None:
    assert client.get(ADDRESS, base_url=BASE).status_code == 200
    assert client.get(ADDRESS, base_url="http://localhost:5000").status_code == 200
    for path in ("/", "/other/", "/_dash-layout", "/_dash-dependencies"):
        assert client.get(path, base_url=BASE).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:5000", "0.0.0.0:5000", "[::1]:5000"])
def test_a_foreign_name_is_refused(client: Any, host: str) -> None:
    for path in (ADDRESS, f"{ADDRESS}_dash-layout"):
        answer = client.get(path, base_url=BASE, headers={"Host": host})
        assert answer.status_code == 400
        assert SCRIPT not in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:5000", "http://127.0.0.1:6000"])
def test_a_foreign_page_is_refused(client: Any, origin: str) -> None:
    path = f"{ADDRESS}_dash-update-component"
    assert client.post(path, base_url=BASE, json={}, headers={"Origin": origin}).status_code == 403


def test_the_page_may_do_nothing_but_its_own(client: Any) -> None:
    answer = client.get(ADDRESS, base_url=BASE)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    linked = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert linked
    assert all(link.startswith(ADDRESS) for link in linked)
    assert SCRIPT not in answer.text


def test_names_travel_as_data(client: Any) -> None:
    answer = client.get(f"{ADDRESS}_dash-layout", base_url=BASE)
    assert answer.content_type.startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert SCRIPT in json.dumps(answer.json)
    assert "dangerously" not in answer.text
    assert SECRET not in answer.text


def test_it_listens_on_this_machine_only() -> None:
    with serve.listen(0) as listening:
        host, port = listening.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(ParameterError, match=f"Port {port} cannot be used"):
            serve.listen(port)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['dash'] = None\n"
        "from synthvae.explorer.serve import explore\n"
        "explore('m.synthvae', None, 0, False, print)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "The explorer needs dash, not installed here: pip install 'synthvae[explore]'." in done.stderr


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted(model: sv.Synthesizer, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthvae")
    planted().to_csv(tmp_path / "mine.csv", index=False)
    words = ["explore", str(tmp_path / "m.synthvae"), str(tmp_path / "mine.csv"), "--no-browser"]
    command = [sys.executable, "-m", "synthvae.cli", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        line = next(line for line in running.stderr if "http" in line)
        url = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        assert url is not None
        with urllib.request.urlopen(url.group()) as page:
            assert "synthvae explorer" in page.read().decode()
        running.send_signal(signal.SIGINT)
        assert running.wait() == 0


# --- the map and the sliders ------------------------------------------------------------------------------------------


def test_the_map_shows_rows_of_the_model_and_points_of_the_table(chart: plane.Chart) -> None:
    assert chart.rows.num_rows == plane.MAPPED
    assert chart.own == 60
    assert chart.z.shape == (plane.MAPPED + 60, 4)
    assert set(chart.rows.column_names) == {SCRIPT, "size", "kind", "day"}


@pytest.mark.parametrize("column", [plane.NOTHING, SCRIPT, "size", "kind", "day"])
def test_a_figure_parses_no_name_and_no_value(chart: plane.Chart, column: str) -> None:
    drawn = plane.figure(chart, column, (True, True), np.zeros(2))
    points = sum(len(trace["x"]) for trace in drawn["data"])
    assert points == len(chart.z) + 1  # the ring
    assert "<script" not in json.dumps(drawn)
    assert "<img" not in json.dumps(drawn)
    assert ("&lt;script" in json.dumps(drawn)) == (column == SCRIPT)


def test_of_the_own_table_nothing_but_points_is_drawn(chart: plane.Chart) -> None:
    _, trace = plane.figure(chart, "kind", (False, True), np.zeros(2))["data"]
    assert len(trace["x"]) == 60
    assert trace["text"] is None
    assert set(trace["customdata"]) == set(range(plane.MAPPED, plane.MAPPED + 60))


def test_a_click_moves_the_sliders_there(chart: plane.Chart) -> None:
    z, anchor = latent.place(chart, "map", {"points": [{"customdata": 5}]}, None)
    np.testing.assert_allclose(z, np.clip(chart.z[5][chart.dimensions], -3, 3), atol=0.006)
    assert [anchor[d] for d in chart.dimensions] == z
    assert latent.place(chart, "centre", None, None)[0] == [0.0] * len(chart.dimensions)
    assert latent.place(chart, "random", None, 1) != latent.place(chart, "random", None, 2)


def test_the_row_says_what_changed(model: sv.Synthesizer, chart: plane.Chart) -> None:
    centre = [0.0] * 4
    start, same = latent.turned(model, chart, True, [0.0] * len(chart.dimensions), centre, "kind", "both")
    assert len(start["data"]) >= 3
    assert " was " not in said(same)
    ends = [latent.turned(model, chart, False, [x] * len(chart.dimensions), centre, "kind", "both") for x in (-3, 3)]
    assert any(" was " in said(row) for _, row in ends)
    assert "here" in json.dumps(ends[0][0].to_plotly_json())
    assert "key" not in said(same)


def test_an_idle_latent_has_a_page_too() -> None:
    still = sv.Synthesizer(epochs=1, latent_dim=1, random_state=0).fit(pd.DataFrame({"x": [1, 1, 1] * 20}))
    of = plane.chart(still, None, seed=0)
    assert of.dimensions == []
    assert latent.turned(still, of, True, [], [0.0], plane.NOTHING, "synthetic")[0]["data"]
    assert "x" in said(latent.layout(of))


# --- rows under conditions --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_rows_are_as_asked(model: sv.Synthesizer) -> None:
    found = asking.draw(model, "size >= 90 and kind == 'p'", 30, 1)
    rows = found.rows.to_pandas()
    assert len(rows) == 30
    assert (rows["size"] >= 90).all()
    assert (rows["kind"] == "p").all()
    assert found.odds is not None
    assert 0 < found.odds.probability < 1
    assert set(found.odds.alone) == {"size", "kind"}
    pd.testing.assert_frame_equal(rows, model.sample(30, "size >= 90 and kind == 'p'", random_state=1))


def test_the_example_is_understood(model: sv.Synthesizer) -> None:
    assert asking.draw(model, asking.example(model), 3, 0).rows.num_rows == 3


def test_no_condition_has_no_odds(model: sv.Synthesizer) -> None:
    assert asking.draw(model, "  ", 3, 0).odds is None
    shown, asked, nothing = asking.answer(model, None, 3, 0)
    assert not nothing
    assert asked == [None, 3, 0]
    assert SECRET not in said(shown)


@pytest.mark.parametrize(
    ("where", "n", "message"),
    [
        ("sizes > 3", 5, "did you mean 'size'"),
        ("size > kind", 5, "neither a number nor quoted"),
        ("kind == 'x'", 5, "'x'"),
        ("kind ==", 5, "cannot be read"),
        (None, None, "from 1 to 10,000; got None"),
        (None, 10_001, "got 10001"),
        (f"`{SCRIPT}` == 3", 5, ""),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_library(
    model: sv.Synthesizer, where: str | None, n: Any, message: str
) -> None:
    shown, asked, nothing = asking.answer(model, where, n, 0)
    assert nothing
    assert asked is None
    assert shown.role == "alert"
    assert message in shown.children


def test_what_is_saved_is_what_was_shown(model: sv.Synthesizer) -> None:
    file = asking.csv(model, None, 12, 3)
    frame = pd.read_csv(io.StringIO(file["content"]))
    assert frame["size"].tolist() == model.sample(12, random_state=3)["size"].tolist()


def test_probabilities_are_told_as_people_read_them() -> None:
    assert asking.share(0.5) == "0.5"
    assert asking.share(0.00125) == "0.00125 (1 in 800)"
    assert asking.quoted("hours-per-week") == "`hours-per-week`"
    assert cells.text("x" * 100) == "x" * 59 + "…"
    assert cells.text(None) == "null"


# --- strange rows -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(model: sv.Synthesizer, own: pa.Table) -> strange.Found:
    return strange.strangest(model, own)


def test_the_strangest_row_is_first_and_its_strangest_cell_too(found: strange.Found) -> None:
    assert found.rows[0].number == 7
    above = [cell.strangeness for cell in found.rows[0].cells]
    assert above == sorted(above, reverse=True)
    assert above[0] > 2
    assert [row.strangeness for row in found.rows] == sorted((row.strangeness for row in found.rows), reverse=True)
    assert found.rows[0].strangeness > found.median


def test_keys_and_text_are_never_shown(found: strange.Found) -> None:
    hidden = [cell for row in found.rows for cell in row.cells if cell.column in ("key", "note")]
    assert hidden
    assert all(cell.value is None and cell.expected is None for cell in hidden)
    page = said([strange.page(found), *(strange.cells([astuple(c) for c in row.cells]) for row in found.rows)])
    assert SECRET not in page
    assert "K-0" not in page


def content(frame: pd.DataFrame, ending: str) -> str:
    raw = frame.to_csv(index=False).encode() if ending == "csv" else frame.to_parquet(index=False)
    return f"data:application/octet-stream;base64,{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_uploaded_table_is_read_and_left_nowhere(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    table = strange.uploaded(f"../../x.{ending}", content(planted(), ending))
    assert table["size"].to_pylist() == planted()["size"].tolist()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_said_without_a_path() -> None:
    with pytest.raises(TableError, match=r"Expected a .parquet or .csv file. Received: x.xlsx"):
        strange.uploaded("x.xlsx", "data:,")
    with pytest.raises(TableError, match="came damaged"):
        strange.uploaded("x.csv", "data:;base64,%%%")
    with pytest.raises(TableError) as caught:
        strange.uploaded("x.parquet", "data:;base64,AAAA")
    assert tempfile.gettempdir() not in str(caught.value)


def test_another_table_is_refused_in_words(model: sv.Synthesizer) -> None:
    shown = strange.answer(model, None, "x.csv", content(pd.DataFrame({"kind": ["never seen"], "size": ["a"]}), "csv"))
    assert shown.role == "alert"
    empty = strange.answer(model, None, "x.parquet", content(planted().head(0), "parquet"))
    assert "0 rows" in empty.children
    assert strange.answer(model, None, None, None) is None
    assert IMAGE not in said(shown)
