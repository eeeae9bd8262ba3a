"""Decisions of the wallet: pure functions of what they are given."""
