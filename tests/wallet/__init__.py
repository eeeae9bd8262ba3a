"""The wallet: its rules, operations, workflow and doors."""
