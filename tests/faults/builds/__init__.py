"""Two builds of one product: the old one, and the new one that is deployed beside it and then instead of it."""
