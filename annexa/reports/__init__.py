"""Reports: shells that show what was recorded."""
