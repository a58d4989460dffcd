"""Conditions as text: "age >= 65 and sex in ('F', 'X') and job is not null".

The text is read by Python's own parser and never run. Allowed are comparisons of a column with a literal (chained ones
such as ``18 <= age < 65`` too), ``in``, ``not in``, ``is null``, ``is not null``, ``between`` as ``a <= x <= b``,
joined by ``and``. A name that is no Python word stands in backticks: `hours-per-week` > 40. A bare column stands for
"is true", ``not column`` for "is false".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from synthvae.errors import ConditionError
from synthvae.schema.conditions import NOT_NULL, NULL, Between, Condition, Every, NoneOf, OneOf

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?P<name>[^`]+)`")
# An operator as it is with the column on its right.
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
NOTHING = ("null", "NULL", "None")
EXAMPLE = "\"age >= 65 and sex in ('F', 'X') and job is not null\""


def parse_where(text: str) -> dict[str, Condition]:
    """Text -> a condition per column; ConditionError says what is not understood."""
    bare, names = _without_backticks(text)
    try:
        tree = ast.parse(bare.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f" near position {error.offset}" if isinstance(error, SyntaxError) else ""
        raise ConditionError(f"The condition cannot be read{place}: {text!r}. Expected such as {EXAMPLE}.") from None
    found: dict[str, list[Condition]] = {}
    for name, condition in _terms(tree, text):
        found.setdefault(names.get(name, name), []).append(condition)
    return {name: parts[0] if len(parts) == 1 else Every(tuple(parts)) for name, parts in found.items()}


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """The text with every name in backticks exchanged for a word, and what the words stand for."""
    names: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        if match["name"] is None:
            return match.group()
        names[made := f"_column_{len(names)}_"] = match["name"]
        return made

    return QUOTED.sub(word, text), names


def _terms(node: ast.expr, text: str) -> Iterator[tuple[str, Condition]]:
    """(column, condition) of every part."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for part in node.values:
            yield from _terms(part, text)
    elif isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            yield _comparison(left, operator, right, text)
    elif isinstance(node, ast.Name):
        yield node.id, OneOf(True)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Name):
        yield node.operand.id, OneOf(False)
    else:
        raise _not_understood(node, text)


def _comparison(left: ast.expr, operator: ast.cmpop, right: ast.expr, text: str) -> tuple[str, Condition]:
    if not isinstance(left, ast.Name) and isinstance(right, ast.Name) and not isinstance(operator, (ast.In, ast.NotIn)):
        left, right, operator = right, left, TURNED.get(type(operator), type(operator))()
    if not isinstance(left, ast.Name):
        raise _not_understood(left, text)
    if isinstance(right, ast.Name) and right.id in NOTHING:
        if not isinstance(operator, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            raise _not_understood(right, text)
        return left.id, NULL if isinstance(operator, (ast.Is, ast.Eq)) else NOT_NULL
    if isinstance(right, ast.Name) and right.id not in ("true", "false"):
        raise ConditionError(
            f"A condition compares a column with a value; {right.id!r} in {text!r} is neither a number nor quoted "
            "text. Rules between columns belong in the schema, as constraints."
        )
    return left.id, _condition(operator, _literal(right, text), text)


def _condition(operator: ast.cmpop, value: Any, text: str) -> Condition:
    """What one operator asks of a column."""
    many = value if isinstance(value, (list, tuple, set)) else (value,)
    if isinstance(operator, (ast.In, ast.Eq, ast.Is)):
        return OneOf(*many)
    if isinstance(operator, (ast.NotIn, ast.NotEq, ast.IsNot)):
        return NoneOf(*many)
    if len(many) != 1 or value is None:
        raise ConditionError(f"A range needs one value at either end; got {value!r} in {text!r}.")
    if isinstance(operator, (ast.Gt, ast.GtE)):
        return Between(value, None, "both" if isinstance(operator, ast.GtE) else "right")
    return Between(None, value, "both" if isinstance(operator, ast.LtE) else "left")


def _literal(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.Name):
        return node.id == "true"
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_understood(node, text) from None


def _not_understood(node: ast.AST, text: str) -> ConditionError:
    part = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
    hint = " For 'or' on one column use 'in'." if isinstance(node, ast.BoolOp) else ""
    return ConditionError(f"{part!r} in {text!r} is not understood. Expected such as {EXAMPLE}.{hint}")
