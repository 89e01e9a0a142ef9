"""config.yaml: what is scanned, where it is kept, and how. Values only; errors name the file, the line and the remedy.

Rules:
- Paths are relative to config.yaml, wherever annexa is started.
- Unknown fields are refused, with the nearest known name. What a field means is said once, in config.schema.json.
- A secret stands there by reference only, and is resolved at its first use, never while loading.
- The fields of a source besides `collector` and `max_age` are its collector's: `settings` checks them, once packs are
  mounted.
"""

from __future__ import annotations

from annexa.config.load import load, verify_checks
from annexa.config.model import Checks, Config, Ledger, Scan, SourceConfig
from annexa.config.settings import config_schema, settings, settings_schema

__all__ = [
    "Checks",
    "Config",
    "Ledger",
    "Scan",
    "SourceConfig",
    "config_schema",
    "load",
    "settings",
    "settings_schema",
    "verify_checks",
]
