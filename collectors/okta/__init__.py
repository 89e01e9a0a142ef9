"""Okta: users, factors, roles, API tokens, applications, policies and the System Log.

`tenant` says how to connect; `accounts`, `settings` and `log` each declare the fetches of one subject.

Source: https://developer.okta.com/docs/api/openapi/okta-management/management/
"""

from __future__ import annotations

from . import accounts, log, settings
from .tenant import OktaConfig, Tenant, okta

__all__ = ["OktaConfig", "Tenant", "accounts", "log", "okta", "settings"]
