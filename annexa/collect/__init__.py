"""Collect: the plan, the recorded transports, the runner and redaction."""
