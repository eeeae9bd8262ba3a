"""Lending's ports: credit bureau, fraud scoring, document verification and payment rail, over HTTP or simulated."""
