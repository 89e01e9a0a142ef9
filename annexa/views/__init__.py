"""What was recorded, as values for people and machines. Reads only; no rules inside."""
