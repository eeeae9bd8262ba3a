"""The treasury's business rules: pure functions over contracts. No models, no clock, no files."""
