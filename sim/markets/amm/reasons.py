"""Reasons of refusal that are not a text of the contract: an empty `require` and a failed `assert`."""

from __future__ import annotations

#: A `require` without a message, or a cast that does not fit: the transaction reverts with empty data.
EMPTY = ""
#: Division by zero or a failed `assert` in Solidity before 0.8: the EVM halts on the invalid opcode.
INVALID_OPCODE = "InvalidFEOpcode"
