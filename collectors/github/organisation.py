"""One GitHub organisation: its configuration, its transport, and its own settings.

GitHub leaves fields out for those who may not see them and says nothing about it: a setting that is not in the answer
is null here, and null is never read as "off".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from annexa.sdk import Bearer, Collector, Help, Http, LinkHeader, Row, Secret, Timestamp, Transports

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
PAGE_SIZE = 100
"""The most that GitHub gives in one page."""


@dataclass(frozen=True)
class GithubConfig:
    """One organisation on github.com or on a GitHub Enterprise server."""

    organisation: Annotated[str, Help("The organisation's name as in its address, github.com/NAME")]
    token: Annotated[Secret, Help("A token of an organisation owner that reaches all repositories")]
    url: Annotated[str, Help("Another address than that of github.com: https://HOST/api/v3")] = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Organisation:
    """What a fetch gets: the transport, and the organisation's name."""

    http: Http
    name: str


def connect(config: GithubConfig, open: Transports) -> Organisation:
    """The transport of one organisation; lists are paged by `Link: rel="next"`."""
    http = open.http(config.url, auth=Bearer(config.token), paging=LinkHeader(), headers=HEADERS)
    return Organisation(http, config.organisation)


github = Collector(
    "github",
    config=GithubConfig,
    connect=connect,
    docs="https://docs.github.com/en/rest?apiVersion=2022-11-28",
)


@github.table(
    "github_organisation",
    key="id",
    permissions=["Organization permissions: Administration (read); classic token: admin:org, of an organization owner"],
    columns={
        "id": int,
        "login": str,
        "name": str,
        "two_factor_requirement_enabled": bool,
        "default_repository_permission": str,
        "members_can_create_repositories": bool,
        "members_can_create_public_repositories": bool,
        "members_can_create_private_repositories": bool,
        "members_can_create_internal_repositories": bool,
        "members_can_create_public_pages": bool,
        "members_can_fork_private_repositories": bool,
        "members_can_invite_outside_collaborators": bool,
        "members_can_change_repo_visibility": bool,
        "members_can_delete_repositories": bool,
        "deploy_keys_enabled_for_repositories": bool,
        "web_commit_signoff_required": bool,
        "dependabot_alerts_enabled_for_new_repositories": bool,
        "secret_scanning_enabled_for_new_repositories": bool,
        "secret_scanning_push_protection_enabled_for_new_repositories": bool,
        "is_verified": bool,
        "public_repos": int,
        "total_private_repos": int,
        "plan": (str, "plan.name"),
        "created_at": Timestamp,
        "updated_at": Timestamp,
    },
)
def organisation(org: Organisation) -> Iterator[Row]:
    """The organisation: one row. What the token's owner may not see is null."""
    yield org.http.get(f"/orgs/{org.name}")


@github.table(
    "github_ruleset",
    key="id",
    permissions=["Organization permissions: Administration (read); classic token: admin:org"],
    columns={
        "id": int,
        "name": str,
        "target": str,
        "source_type": str,
        "source_name": (str, "source"),
        "enforcement": str,
        "created_at": Timestamp,
        "updated_at": Timestamp,
    },
)
def rulesets(org: Organisation) -> Iterator[Row]:
    """One ruleset that the organisation sets for its repositories; only `enforcement` active has an effect."""
    yield from org.http.pages(f"/orgs/{org.name}/rulesets", per_page=PAGE_SIZE)
