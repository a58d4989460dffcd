"""Rules as a Great Expectations suite, and Great Expectations without project folder, telemetry, network or noise."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthvae import tables
from synthvae.evaluation.expectations.chance import Sizes, lenient
from synthvae.evaluation.expectations.rule import Rule
from synthvae.evaluation.expectations.rules import rules
from synthvae.schema.schema import Schema

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

ROWS = 1000  # of a table nobody has told the size of: small enough that larger ones pass, too
# Counts only: the other formats hand out values of the table.
COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}


def expectation_suite(
    schema: Schema, *, real: object | None = None, name: str = "synthvae", rows: int | None = None
) -> ExpectationSuite:
    """A Great Expectations 1.x suite of everything a schema promises, for the table as pandas holds it.

    ``real``: a table (or path) whose null rates are to be kept to where columns may be null; without it nothing is
    said about how often. ``rows``: of the tables to be judged: the fewer, the more exceptions chance makes in columns
    that are open (``mostly``); as many as ``real`` has, or a thousand, where it is not said. Left out are columns that
    Great Expectations has no way to speak of: one whose name is empty, and those whose names differ in upper and lower
    case only. ``check`` knows them all.

    >>> from synthvae import infer_schema
    >>> suite = expectation_suite(infer_schema(pd.DataFrame({"price": [0.5 + step for step in range(100)]})))
    >>> suite.to_json_dict()["expectations"][-1]["kwargs"]
    {'column': 'price', 'mostly': 0.8631, 'min_value': 4.5, 'max_value': 95.5}
    """
    known = None if real is None else tables.read(real)[0]
    sizes = Sizes(rows or (ROWS if known is None else max(known.num_rows, 1)), {})
    found = lenient(rules(schema, known), schema, sizes)
    times = Counter(column.casefold() for column in schema.names)
    spoken = {column for column in schema.names if column and times[column.casefold()] == 1}
    return suite_of([rule for rule in found if _of(rule) <= spoken], name)


def _of(rule: Rule) -> set[str]:
    """The columns that an expectation would have to name."""
    if rule.between is not None:
        return set(rule.between.names)
    return set() if rule.whole_table else {rule.column}


def suite_of(found: Sequence[Rule], name: str = "synthvae") -> ExpectationSuite:
    """The suite of these rules; those that Great Expectations has no words for are left out."""
    with quiet():
        import great_expectations as gx
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        made = gx.ExpectationSuite(name=name)
        for rule in found:
            own = [(rule.expectation, _kwargs(rule))] if rule.expectation else []
            for type_, kwargs in [*own, *rule.asked]:
                made.add_expectation_configuration(ExpectationConfiguration(type=type_, kwargs=kwargs))
    return made


def _kwargs(rule: Rule) -> dict[str, Any]:
    about = {"column": rule.column} if rule.name != "columns" else {}
    lenient = {"mostly": rule.mostly} if rule.allowed else {}
    return about | dict(rule.arguments) | lenient


class Engine:
    """Great Expectations in memory: judges one frame after the other."""

    def __init__(self) -> None:
        with quiet():
            import great_expectations as gx

            context: Any = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}
            asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
            self._definition = asset.add_batch_definition_whole_dataframe("all")

    def judge(self, frame: pd.DataFrame, found: Sequence[Rule], column: str = "") -> list[Any]:
        """The result of each rule (no two of one expectation); ``column`` is what the frame calls the rules' column."""
        asked = [replace(rule, column=column) for rule in found]
        with quiet():
            batch = self._definition.get_batch({"dataframe": frame})
            results: list[Any] = batch.validate(suite_of(asked), result_format=COUNTS).results
        answers = {result.expectation_config.type: result for result in results}
        return [answers[rule.expectation] for rule in found]


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and no log of a library that is not the reader's business."""
    log = logging.getLogger("great_expectations")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
