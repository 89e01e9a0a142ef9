"""Assess: evidence to typed DuckDB tables to gated, sandboxed SQL to verdicts."""
