"""Callbacks of the page, answered one at a time: the model's compiled questions and Python's warnings are shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from dash import Dash


class Answers:
    """What a page connects its elements by."""

    def __init__(self, app: Dash) -> None:
        self.app, self._turn = app, threading.Lock()

    def connect(
        self,
        outputs: Sequence[Any],
        inputs: Sequence[Any],
        answer: Callable[..., Any],
        prevent_initial_call: bool = False,
    ) -> None:
        """Outputs take what ``answer`` makes of the inputs, a value each."""

        def alone(*values: Any) -> Any:
            with self._turn:
                return answer(*values)

        self.app.callback(list(outputs), list(inputs), prevent_initial_call=prevent_initial_call)(alone)
