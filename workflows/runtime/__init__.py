"""The only place with effects: it claims runs, runs activities, commits checkpoints and sends hints."""
