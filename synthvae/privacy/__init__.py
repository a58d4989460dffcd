"""The promise: differential privacy, what it costs, and a ledger of where it went.

``budget`` is what a user asks for, ``accountant`` how mechanisms add up, ``ledger`` what was spent on what,
``mechanisms`` the noise, ``private_table`` the rows: they are asked by mechanisms alone, each of which pays first.

May import: errors, tables. To add a mechanism: a method of ``PrivateTable`` that takes a ``Spend``, says its
sensitivity and why, and pays before it looks; a test holds it to its sensitivity.
"""
