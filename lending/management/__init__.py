"""Commands of lending."""
