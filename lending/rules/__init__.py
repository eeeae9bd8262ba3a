"""Lending's business rules: pure functions over contracts. No models, no clock; files only those shipped in `data`."""
