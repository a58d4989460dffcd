"""The report: what it says, what it draws, that it harms nobody, and how it stands in a browser."""

from __future__ import annotations

import doctest
import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.errors import OutputError
from synthvae.evaluation.base import Family, Metric, Score, not_applicable
from synthvae.evaluation.evaluate import evaluate
from synthvae.evaluation.pictures import ColumnPicture, MatrixPicture, PairPicture, Pictures
from synthvae.evaluation.report import bins, charts, page, scores, words
from synthvae.evaluation.report.markdown import markdown
from synthvae.evaluation.result import Evaluation
from synthvae.schema.columns import Boolean, Categorical, Datetime, Identifier, Numeric, Text
from synthvae.schema.schema import Schema

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    "\"><img src=x onerror=alert(1)> & ' {{ 7 * 7 }} {% raw %}",
    "a.b[0]['c']\\.d",
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦 🏳️‍🌈 family",
    "zero\u200bwidth\u202eturned\x00\x1b\nline\ud800",
    "",
    "n" * 3000,
)
SHAPE = Metric("shape", Family.FIDELITY, "How alike a column is spread.", headline=True)
TRENDS = Metric("pair trends", Family.FIDELITY, "How alike two columns go together.", headline=True)
DETECTION = Metric("boosted detection", Family.DETECTION, "How hard it is to tell the rows apart.", headline=True)
UTILITY = Metric("utility", Family.UTILITY, "How well a model learned from synthetic rows does.", headline=True)
COPIES = Metric("copies", Family.DISCLOSURE, "How many rows are copies.", best=0.0, worst=1.0, headline=True)
RULES = Metric("rules met", Family.VALIDITY, "Share of the rules that are kept.", headline=True)
MEMBERSHIP = Metric("membership", Family.DISCLOSURE, "Whether members can be named.", headline=True)
EDGES = (0.0, 10.0, 20.0, 30.0, 40.0)


# --- a small evaluation, every number of it by hand -------------------------------------------------------------------


def number_picture(name: str) -> ColumnPicture:
    shares = {"real": (0.4, 0.3, 0.2, 0.1), "synthetic": (0.3, 0.3, 0.3, 0.1), "hold-out": (0.4, 0.3, 0.1, 0.2)}
    return ColumnPicture(name, "numeric", ("",) * 4, EDGES, False, shares, {"real": 0.1, "synthetic": 0.05})


def level_picture(name: str, levels: tuple[str, ...]) -> ColumnPicture:
    equal = (1 / len(levels),) * len(levels)
    shares = {"real": equal, "synthetic": (1.0, *(0.0,) * (len(levels) - 1)), "hold-out": equal}
    return ColumnPicture(name, "categorical", levels, shares=shares, nulls={"real": 0.0, "synthetic": 0.0})


def judged(*names: str) -> Evaluation:
    """Names in turn a number and a category with hostile levels, and an identifier at the end."""
    pictures = tuple(level_picture(n, HOSTILE) if i % 2 else number_picture(n) for i, n in enumerate(names))
    columns = tuple(
        Categorical(name=n, arrow="string", levels=tuple(f"{i}{n}".replace("\ud800", "") for i in range(15)))
        if i % 2
        else Numeric(name=n, arrow="double", lower=0, upper=40)
        for i, n in enumerate(names)
    )
    rest = (Identifier(name="key", arrow="string", template="K-{digits:6}"), Text(name="words", arrow="string"))
    opaque = ColumnPicture("key", "identifier", nulls={"real": 0.0}, note="values are not shown")
    told = tuple(Score(SHAPE, (n,), 0.9 - 0.01 * i, 0.88, 0.92, 0.97) for i, n in enumerate(names))
    facts = {
        "versions": {"synthvae": "1.2.3"},
        "seed": 7,
        "rows": {"real": 1234, "synthetic": 987, "hold-out": 300},
        "columns": len(columns) + 2,
        "targets": list(names[:1]),
        "subsamples": {"detection": 500},
        "seconds": {"fidelity": 0.5},
        "created": "2030-01-02T03:04:05+00:00",
    }
    drawn = Pictures((*pictures, opaque), matrix(names), (pair(pictures[0], pictures[-1]),) if pictures else ())
    return Evaluation((*whole_table(names[:2]), *told), facts, drawn, Schema((*columns, *rest)))


def whole_table(pair_of: tuple[str, ...]) -> tuple[Score, ...]:
    rule = {"rule": "range", "promise": "lies between 0 and 40", "allowed": 0.0}
    rule |= {"met": {"real": True, "synthetic": False}, "share": {"real": 0.0, "synthetic": 0.02}}
    named = pair_of[0] if pair_of else "nobody"
    return (
        Score(SHAPE, (), 0.95, 0.94, 0.96, 0.955),
        Score(TRENDS, pair_of, 0.6, 0.55, 0.65, 0.95),
        Score(DETECTION, (), 0.9, 0.85, 0.95, 1.0, details={"auc": 0.55, "give-away": {named: 0.6, "other": 0.4}}),
        Score(UTILITY, (named,), 0.8, 0.78, 0.82, 0.85, details={"measure": "AUC"}),
        Score(COPIES, (), 0.25, 0.2, 0.3, 0.0, details={"guessed": {"share": 0.25, "low": 0.2, "high": 0.3}}),
        not_applicable(MEMBERSHIP, "there is no hold-out"),
        Score(RULES, (named,), 0.5, 0.4, 0.6, 1.0, details={"rules": [rule]}),
    )


def matrix(names: tuple[str, ...]) -> MatrixPicture | None:
    size = len(names)
    values = {side: tuple(tuple(1.0 if i == j else at for j in range(size)) for i in range(size)) for side, at in
              (("real", 0.5), ("synthetic", 0.25), ("hold-out", 0.5))}  # fmt: skip
    return MatrixPicture("Association", names, values) if size > 1 else None


def pair(x: ColumnPicture, y: ColumnPicture) -> PairPicture:
    def joint(side: str) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(a * b for b in y.shares[side]) for a in x.shares[side])

    return PairPicture(x, y, 0.6, {side: joint(side) for side in ("real", "synthetic")})


@dataclass
class Read(HTMLParser):
    """A page taken apart: tags in order, attributes by tag, text outside of styles, code by itself."""

    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    open_tags: list[str] = field(default_factory=list)
    text: str = ""
    code: str = ""
    VOID = ("meta", "link")

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag, f"{tag} closed out of turn"

    def handle_data(self, data: str) -> None:
        if {"pre", "code"} & set(self.open_tags):
            self.code += data
        elif "style" not in self.open_tags:
            self.text += data


def read(text: str) -> Read:
    found = Read()
    found.feed(text)
    found.close()
    assert found.open_tags == []
    return found


@pytest.fixture(scope="module")
def plain() -> str:
    return page.html(judged("age", "colour", "amount"))


@pytest.fixture(scope="module")
def hostile() -> str:
    return page.html(judged(*HOSTILE))


# --- one file that harms nobody ---------------------------------------------------------------------------------------

ALLOWED = {
    *("html", "head", "meta", "link", "title", "style", "body", "a", "header", "nav", "main", "footer", "section"),
    *("article", "h1", "h2", "h3", "h4", "h5", "p", "ul", "li", "b", "i", "small", "span", "bdi", "div", "dl", "dt"),
    *("dd", "pre", "code", "details", "summary", "figure", "figcaption", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "path", "line", "rect", "text", "tspan"),
}


@pytest.mark.parametrize("which", ["plain", "hostile"])
def test_the_page_has_no_script_and_asks_for_nothing(which: str, request: pytest.FixtureRequest) -> None:
    found = read(request.getfixturevalue(which))
    assert set(found.tags) <= ALLOWED
    assert not [name for _, name, _ in found.attributes if name.startswith("on") or name in ("src", "style", "srcset")]
    links = {value for _, name, value in found.attributes if name == "href"}
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert "url(" not in page.environment().globals["style"]
    policy = [value for _, name, value in found.attributes if name == "content" and "default-src" in value]
    assert policy[0].startswith("default-src 'none'")


@pytest.mark.parametrize("which", ["plain", "hostile"])
def test_every_chart_has_a_text_and_every_link_a_target(which: str, request: pytest.FixtureRequest) -> None:
    found = read(request.getfixturevalue(which))
    labels = [value for tag, name, value in found.attributes if tag == "svg" and name == "aria-label"]
    assert found.tags.count("svg") == len(labels) > 10
    assert all(len(label) > 5 for label in labels)
    ids = [value for _, name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, name, value in found.attributes if name == "href" and value[:1] == "#"} <= set(ids)


def test_hostile_names_are_shown_as_what_they_are(hostile: str) -> None:
    text = read(hostile).text
    assert SCRIPT in text
    assert "{{ 7 * 7 }}" in text
    assert "zero\\u200bwidth\\u202eturned\\u0000\\u001b\\u000aline\\ud800" in text
    assert "n" * 161 not in text
    assert "👩‍👩‍👧‍👦 🏳️‍🌈 family" in text
    assert "“”" in text  # the name without a character
    assert not re.search("[\u200b\u202e\x00\x1b\ud800]", hostile)
    hostile.encode("utf-8")


@pytest.mark.slow
def test_a_hundred_columns_stay_far_under_three_megabytes() -> None:
    assert len(page.html(judged(*(f"column {i}" for i in range(100)))).encode()) < 1_500_000


def test_an_evaluation_of_nothing_is_a_page_too() -> None:
    empty = replace(judged(), all_scores=(), pictures=Pictures())
    text = read(page.html(empty)).text
    assert text.count("Nothing was asked.") == 7
    assert markdown(empty).startswith("## Evaluation")


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    evaluation = judged("age")
    evaluation.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page.html(evaluation)
    with pytest.raises(OutputError, match="Could not write"):
        evaluation.to_html(tmp_path / "missing" / "report.html")


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_verdict_names_what_falls_short(plain: str) -> None:
    text = re.sub(r"\s+", " ", read(plain).text)
    assert "pair trends age × colour 0.600 (hold-out 0.950)" in text  # noqa: RUF001
    assert "copies 0.250 (hold-out 0.000)" in text
    assert "Because there is no hold-out." in text
    assert "guessed 0.25 (0.2 to 0.3)" in text
    assert "1,234 real and 987 synthetic rows of 5 columns, beside 300 real rows" in text
    assert "✕ broken, not by 2.0 %" in text
    assert "detection: 500 rows" in text
    call = (
        'sv.evaluate("real.parquet", "synthetic.parquet", holdout="holdout.parquet", schema=schema, target=[\'age\'], '
    )
    assert f"{call}seed=7)" in read(plain).code


def test_columns_come_by_their_gap_and_opaque_ones_last(plain: str) -> None:
    places = [plain.index(f'id="column-{place}"') for place in (2, 1, 0, 3)]
    assert places == sorted(places)  # amount .88, colour .89, age .90, and the key, of which nothing is drawn
    assert "values are not shown" in plain


def test_a_column_without_anything_drawn_has_no_chart() -> None:
    only = ColumnPicture("key", "identifier", note="values are not shown")
    text = page.html(replace(judged(), pictures=Pictures((only,))))
    assert "values are not shown" in text
    assert "Missing values" not in text


@pytest.fixture(scope="module")
def real() -> Evaluation:
    """A real evaluation of hostile columns, with one absurd amount and one level that only one row has."""

    def table(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        amount = rng.gamma(2.0, 100.0, 400).round(2)
        level = rng.choice([SCRIPT, "a|b", "c"], 400)
        amount[7], level[9] = 987654321.5, "only one person"
        day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, 400), unit="D")
        key = [f"K{seed}-{i:05d}" for i in range(400)]
        return pd.DataFrame({"key": key, "amount.x['y']": amount, HOSTILE[1]: level, "day": day})

    return evaluate(table(0), table(1), holdout=table(2), target=HOSTILE[1])


def test_a_real_evaluation_makes_a_page_that_gives_nobody_away(real: Evaluation) -> None:
    found = read(page.html(real))
    assert set(found.tags) <= ALLOWED
    for text in (found.text + found.code, markdown(real), str(found.attributes)):
        assert "98765" not in text.replace(",", "")
        assert "only one person" not in text
        assert not re.search(r"K\d-\d{5}", text)
    assert all(question in found.text for question in ("Faithful?", "Useful?", "Safe?", "Lawful?"))
    assert "Nothing was asked." not in found.text


# --- what it draws ----------------------------------------------------------------------------------------------------


def test_a_dot_stands_at_its_share_of_the_scale() -> None:
    drawn = charts.dot(0.5, 0.25, 1.0, 0.75, "half")
    assert 'transform="translate(110,11)"' in drawn  # 220 pixels wide
    assert 'transform="translate(55,11)" x2="165"' in drawn  # the interval: from a quarter, three quarters long
    assert "M164,2h2v18h-2Z" in drawn  # the reference, two pixels wide


def test_better_is_always_to_the_right() -> None:
    (group,) = scores.groups([Score(COPIES, (), 0.25, 0.2, 0.3, 0.0)])
    assert "scale from 0.5 to 0, better to the right" in group.scale
    assert 'transform="translate(110,11)"' in group.rows[0].dot  # halfway from .5 to 0


def test_scores_of_different_scales_stand_apart() -> None:
    made = scores.groups([Score(COPIES, (), 0.0), Score(SHAPE, (), 1.0), not_applicable(SHAPE, "there are no rows")])
    assert [len(group.rows) for group in made] == [1, 2]
    assert made[1].rows[1].dot == ""


def test_bars_are_as_long_as_their_shares() -> None:
    drawn = charts.bars([charts.Bar("a", 0.5, 0.25, None), charts.Bar("b", 0.25, 0.5, 0.125)], words.tick, "bars")
    broad, slim = re.findall(r'd="([^"]+)" fill="var\(--(?:real|synthetic)\)"', drawn)
    assert re.findall(r"v13h-(\d+)Z", broad) == ["192", "96"]
    assert re.findall(r"v5h-(\d+)Z", slim) == ["96", "192"]


def test_cells_of_one_shade_are_one_path() -> None:
    values = [[0.5] * 30 for _ in range(30)]
    drawn = charts.cells(charts.Cells(values, [], []), 300, 300, "even")
    assert drawn.count("<path") == 2  # the frame and nine hundred cells
    assert drawn.count("M") == 1 + 900
    assert len(charts.cells(charts.Cells([[None]], [], []), 10, 10, "open")) < 400


def test_text_in_a_chart_is_data_however_it_looks() -> None:
    names = [charts.Bar(words.shown(name), 0.1) for name in HOSTILE]
    drawn = charts.bars(names, words.tick, HOSTILE[1])
    assert "<script" not in drawn
    assert "<img" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "datum" not in charts.bars([charts.Bar("datum['x']", 0.1)], lambda _: "signal('x')", "x").replace(
        "datum[", ""
    )


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec=None), max_size=40))
def test_any_name_can_be_drawn(name: str) -> None:
    text = words.shown(name)
    drawn = charts.bars([charts.Bar(text, 0.1)], words.tick, text)
    drawn.encode("utf-8")
    assert read(f"<p>{drawn}</p>").text.count("%") >= 2


@pytest.mark.parametrize("shares", [(0.0, 0.0), (1e-12, 0.0), (1.0, 1.0)])
def test_any_share_can_be_drawn(shares: tuple[float, float]) -> None:
    assert "<svg" in charts.steps(charts.Steps((0, 1, 2), shares, shares, (), [(0, "0"), (2, "2")]), words.tick, "x")
    assert "<svg" in charts.bars([charts.Bar("a", *shares)], words.tick, "x")


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [words, bins])
def test_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*HOSTILE, "👩‍👩‍👧‍👦" * 40, "e\u0301" * 200, "漢字" * 90, "مرحبا " * 40])
def test_a_fitted_name_is_no_wider_than_its_room_and_ends_between_characters(name: str) -> None:
    cut = words.fitted(words.shown(name), 90)
    assert words.wide(cut) <= 90
    assert not cut.endswith(("\u200d…", "\ufe0f\u200d"))
    assert cut.isprintable() or "\u200d" in cut


def test_round_edges_are_named() -> None:
    picture = replace(number_picture("x"), edges=tuple(range(31)), labels=("",) * 30)
    assert [text for _, text in bins.ticks(picture)] == ["0", "10", "20", "30"]
    days = replace(
        number_picture("x"), edges=tuple(86400.0 * 365.25 * (y - 1970) for y in range(2000, 2005)), temporal=True
    )
    assert bins.ticks(days)[0][1].endswith("2000")
    assert bins.edge(replace(days, edges=(-1e18, 1e18)), 0) == "-1e+18 s"


def test_kinds_say_what_they_hold() -> None:
    assert words.described(Boolean(name="b", arrow="bool")) == "true or false"
    assert words.described(Datetime(name="d", arrow="date32", lower="2020-01-01", upper="2021-01-01")).startswith(
        "2020"
    )
    assert "never shown" in words.described(Text(name="t", arrow="string"))
    levels = Categorical(name="c", arrow="string", levels=tuple(f"level {i}" for i in range(20)))
    assert words.described(levels).endswith("and 8 more")


# --- Markdown ---------------------------------------------------------------------------------------------------------


def test_markdown_has_the_verdict_the_headlines_and_what_falls_short() -> None:
    lines = markdown(judged("age", "colour", "amount")).splitlines()
    assert "Rows: real 1,234, synthetic 987, hold-out 300. Columns: 5. Seed: 7." in lines
    assert "| ❌ | pair trends <code>age</code> × <code>colour</code> | 0.600 | 0.550 to 0.650 | 0.950 |" in lines  # noqa: RUF001
    assert "| ➖ | membership | there is no hold&#45;out |  | – |" in lines  # noqa: RUF001


def test_names_cannot_become_markdown() -> None:
    text = markdown(judged("a|b`*_[x](http://e.x)@me#1", SCRIPT, "two\nlines"))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 6 for line in rows)
    outside = text.replace("<code>", "").replace("</code>", "").replace("<details><summary>", "")
    assert "<" not in outside.replace("</summary>", "").replace("</details>", "")
    assert not re.search(r"[`*@\[]", text)


# --- in a browser -----------------------------------------------------------------------------------------------------

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOOK = """<!doctype html><title>look</title><link rel=icon href="data:,"><body><pre>waiting</pre><script>
const found = {}, widths = [360, 768, 1280]; let left = 2 * widths.length;
for (const which of ["plain", "hostile"]) for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`; frame.src = which + ".html";
  frame.onload = () => {
    const page = frame.contentDocument; page.querySelectorAll("details").forEach(part => part.open = true);
    found[which + width] = {
      wide: page.documentElement.scrollWidth - width,
      paper: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
      real: frame.contentWindow.getComputedStyle(page.querySelector("svg [fill='var(--synthetic)']")).fill,
      small: Math.min(...[...page.querySelectorAll("td, p, li, summary")].map(
        part => parseFloat(frame.contentWindow.getComputedStyle(part).fontSize))),
    };
    if (!--left) document.querySelector("pre").textContent = JSON.stringify(found);
  };
  document.body.append(frame);
}
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:
        self.asked.append(self.path)


@pytest.fixture(scope="module")
def served(plain: str, hostile: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """The two pages and one that looks at them in frames, and what was asked of their server."""
    folder = tmp_path_factory.mktemp("pages")
    for name, text in (("plain", plain), ("hostile", hostile), ("look", LOOK)):
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    asked: list[str] = []
    handler = functools.partial(type("Asked", (Quiet,), {"asked": asked}), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def browse(url: str, profile: Path, *flags: str) -> tuple[str, list[str]]:
    """The document after it was looked at, and the lines of its console."""
    if BROWSER is None:
        pytest.skip("there is no Chromium on the path")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
               f"--user-data-dir={profile}", "--enable-logging=stderr", "--virtual-time-budget=20000", *flags,
               "--dump-dom", url]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    console = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    return done.stdout.decode(), console


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(served: tuple[str, list[str]], tmp_path: Path, scheme: str) -> None:
    url, asked = served
    asked.clear()
    flags = [f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"]
    document, console = browse(f"{url}/look.html", tmp_path / "profile", *flags)
    assert console == []
    assert set(asked) == {"/look.html", "/plain.html", "/hostile.html"}
    found = json.loads(re.search(r"<pre>(.*)</pre>", document).group(1))  # type: ignore[union-attr]
    assert {name: look["wide"] for name, look in found.items() if look["wide"] > 0} == {}
    papers, inks = ({look[part] for look in found.values()} for part in ("paper", "real"))
    assert papers == {"rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)"}
    assert inks == {"rgb(213, 94, 0)" if scheme == "light" else "rgb(242, 138, 58)"}
    assert min(look["small"] for look in found.values()) >= 12
