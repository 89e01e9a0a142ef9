"""GitHub: the organisation, its people, its repositories and how their branches are protected.

`organisation` says how to connect; `people`, `repositories` and `protection` each declare the fetches of one subject.

Source: https://docs.github.com/en/rest?apiVersion=2022-11-28
"""

from __future__ import annotations

from . import people, protection, repositories
from .organisation import GithubConfig, Organisation, github

__all__ = ["GithubConfig", "Organisation", "github", "people", "protection", "repositories"]
