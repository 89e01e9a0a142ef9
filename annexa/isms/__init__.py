"""ISMS decisions: pure functions from values to events."""
