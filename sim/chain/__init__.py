"""The chain: clock, gas, mempool and ordering, transactions, receipts and the undo journal."""
