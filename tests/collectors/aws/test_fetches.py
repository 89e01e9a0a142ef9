"""Every fetch against the sample account. Expectations are what `aws_estate.seed` says it made, in AWS's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from annexa.sdk import Secret
from collectors.aws import AwsConfig, aws
from tests.collectors.aws.scanning import Scan, lines_where
from tests.simulators.aws import ACCOUNT
from tests.simulators.company import LEAVER

ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
PEOPLE = {
    f"{local}@example.com"
    for local in (
        "ada.lovelace",
        "barbara.liskov",
        "grace.hopper",
        "alan.turing",
        "john.backus",
        "katherine.johnson",
        "edsger.dijkstra",
    )
}


def test_scopes_are_the_account_its_regions_and_its_logs(scan):
    assert [(scope.level, scope.name) for scope in scan.scopes] == [
        ("account", ACCOUNT),
        ("region", f"{ACCOUNT}/eu-west-1"),
        ("region", f"{ACCOUNT}/us-east-1"),
        ("log", f"{ACCOUNT}/logs/example-trail-logs"),
    ]
    assert all(scope.values["principal"].startswith("arn:aws:sts::") for scope in scan.scopes)


def test_without_regions_all_that_are_enabled_are_read(scan):
    everywhere = Scan(replace(scan.config, regions=(), log_buckets=()), scan.now)
    regions = {scope.values["region"] for scope in everywhere.discover() if scope.level == "region"}
    assert {"eu-west-1", "us-east-1", "ap-southeast-2"} <= regions
    assert "ap-east-1" not in regions, "moto says that it is not opted in"


def test_every_level_of_scope_has_fetches_and_every_fetch_names_what_it_needs(scan):
    assert {fetch.per for fetch in aws.fetches.values()} == {scope.level for scope in scan.scopes}
    for fetch in aws.fetches.values():
        assert fetch.permissions
        for permission in fetch.permissions:
            service, _, action = permission.partition(":")
            assert service.islower()
            assert action.startswith(("Get", "List", "Describe", "Generate", "Decrypt")), permission


def test_configuration_shows_no_secret(monkeypatch):
    monkeypatch.setenv("EXAMPLE_KEY", "never-to-be-seen")
    config = AwsConfig(secret_access_key=Secret("env:EXAMPLE_KEY"))
    assert "never-to-be-seen" not in repr(config)


def test_account(scan):
    (row,) = scan.run("account").rows()
    assert row["account"] == ACCOUNT
    assert row["alias"] == "example-ltd"
    assert (row["root_mfa"], row["root_access_keys"], row["users"]) == (False, 0, len(PEOPLE) + 1)
    assert row["root_password"] is None, "moto does not say, so nobody knows"


def test_password_policy(scan):
    (row,) = scan.run("password_policy").rows()
    assert (row["exists"], row["minimum_length"], row["require_symbols"]) == (True, 6, False)
    assert row["reuse_prevention"] is None


def test_no_password_policy_is_an_answer(scan, company):
    company.fail("GetAccountPasswordPolicy", status=404, code="NoSuchEntity")
    fetched = scan.run("password_policy")
    (row,) = fetched.rows()
    assert (row["exists"], row["minimum_length"], fetched.flaws) == (False, None, [])


def test_contacts_that_are_not_set_have_no_row(scan):
    fetched = scan.run("alternate_contacts")
    assert (fetched.rows(), fetched.flaws) == ([], [])


def test_mfa_devices(scan):
    holders = {row["user_arn"].rpartition("/")[2] for row in scan.run("mfa_devices").rows()}
    assert holders == PEOPLE - {"alan.turing@example.com"}


def test_credential_report(scan):
    users = scan.run("credential_report").by("user")
    assert set(users) == PEOPLE | {"<root_account>", "backup-service"}
    assert users["<root_account>"]["is_root"] is True
    assert users["<root_account>"]["password_enabled"] is None
    without_mfa = {name for name, row in users.items() if row["password_enabled"] and not row["mfa_active"]}
    assert without_mfa == {"alan.turing@example.com"}
    leaver = users[f"{LEAVER}@example.com"]
    assert (leaver["access_key_1_active"], leaver["access_key_2_active"]) == (True, False)
    assert users["backup-service"]["password_enabled"] is False
    age = scan.now.timestamp() - _epoch(leaver["generated_at"])
    assert abs(age) < timedelta(minutes=10).total_seconds()


def _epoch(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_iam_users_groups_and_roles(scan):
    fetched = scan.run("authorization")
    assert fetched.flaws == []
    users = fetched.by("name", "aws_iam_user")
    assert set(users) == PEOPLE | {"backup-service"}
    assert users["john.backus@example.com"]["groups"] == ["administrators"]
    assert users["backup-service"]["inline_policies"] == ["backup"]
    assert users["backup-service"]["tags"] == {"purpose": "backup"}
    groups = fetched.by("name", "aws_iam_group")
    assert groups["administrators"]["attached_policies"] == [ADMINISTRATOR_ACCESS]
    roles = fetched.by("name", "aws_iam_role")
    assert set(roles) == {"deploy", "partner"}
    assert roles["deploy"]["attached_policies"] == [f"arn:aws:iam::{ACCOUNT}:policy/break-glass"]


def test_iam_policies_are_the_accounts_own_and_those_of_aws_that_are_attached(scan):
    policies = scan.run("authorization").by("name", "aws_iam_policy")
    assert {(name, row["aws_managed"]) for name, row in policies.items()} == {
        ("break-glass", False),
        ("read-data", False),
        ("AdministratorAccess", True),
        ("SecurityAudit", True),
    }


def test_iam_statements(scan):
    statements = scan.run("authorization").rows("aws_iam_policy_statement")
    everything = lines_where(
        statements,
        lambda s: s["effect"] == "Allow" and s["actions"] == ["*"] and s["resources"] == ["*"],
        "policy_name",
    )
    assert everything == {("break-glass",), ("AdministratorAccess",)}
    trust = lines_where(statements, lambda s: s["is_trust"], "owner_arn", "owner_type")
    assert trust == {(f"arn:aws:iam::{ACCOUNT}:role/{role}", "role") for role in ("deploy", "partner")}
    assert [s["owner_arn"].rpartition("/")[2] for s in statements if s["principals"] == ["*"]] == ["partner"]
    (deny,) = [s for s in statements if s["owner_type"] == "user" and s["effect"] == "Deny"]
    assert (deny["actions"], deny["not_actions"], deny["inline"]) == (None, ["iam:*"], True)
    assert deny["condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_buckets(scan):
    fetched = scan.run("buckets")
    assert fetched.flaws == []
    buckets = fetched.by("name")
    assert {name: (b["policy_is_public"], b["acl_public"], b["block_public_acls"]) for name, b in buckets.items()} == {
        "example-invoices": (False, [], True),
        "example-backups": (False, [], True),
        "example-downloads": (True, [], False),
        "example-photos": (False, ["READ:AllUsers"], False),
        "example-trail-logs": (False, [], True),
    }
    assert {(b["region"], b["mfa_delete"], b["logging"], b["object_lock"]) for b in buckets.values()} == {
        ("eu-west-1", "Disabled", False, False)
    }
    encryption = {name: (b["encryption"], b["versioning"]) for name, b in buckets.items()}
    assert encryption["example-invoices"] == ("AES256", "Enabled")
    assert encryption["example-downloads"] == ("none", "Disabled")
    assert buckets["example-downloads"]["policy"]["Statement"][0]["Principal"] == "*"
    assert (buckets["example-photos"]["has_policy"], buckets["example-photos"]["policy"]) == (False, None)


def test_account_block(scan):
    (row,) = scan.run("account_block").rows()
    assert (row["exists"], row["block_public_acls"], row["restrict_public_buckets"]) == (False, False, False)


def test_security_groups_and_their_rules(scan):
    open_by_region = {}
    for region in ("eu-west-1", "us-east-1"):
        groups = scan.run("security_groups", region).by("id")
        rules = scan.run("security_group_rules", region).rows()
        assert {rule["group_id"] for rule in rules} <= set(groups)
        assert {row["region"] for row in rules} == {region}
        open_by_region[region] = {
            (groups[rule["group_id"]]["name"], rule["from_port"], rule["cidr_ipv4"] or rule["cidr_ipv6"])
            for rule in rules
            if rule["direction"] == "ingress" and (rule["cidr_ipv4"] == "0.0.0.0/0" or rule["cidr_ipv6"] == "::/0")
        }
    assert open_by_region == {
        "eu-west-1": {("web", 443, "0.0.0.0/0"), ("office", 22, "0.0.0.0/0"), ("legacy", 22, "::/0")},
        "us-east-1": {("web", 443, "0.0.0.0/0")},
    }


def test_instances_and_volumes(scan):
    instances = scan.run("instances").rows()
    assert {(i["tags"]["Name"], i["http_tokens"], i["state"]) for i in instances} == {
        ("web", "required", "running"),
        ("office", "optional", "running"),
    }
    assert all(len(i["security_groups"]) == 1 and i["public_ip"] for i in instances)
    volumes = scan.run("volumes").rows()
    assert sorted((v["encrypted"], len(v["instances"])) for v in volumes) == [
        (False, 0),
        (False, 1),
        (True, 0),
        (True, 1),
    ]
    (default,) = scan.run("ebs_default").rows()
    assert (default["region"], default["encryption_by_default"]) == ("eu-west-1", False)


def test_trails(scan):
    company = scan.run("trails").by("name")
    assert set(company) == {"company"}, "each trail stands in its home region only"
    trail = company["company"]
    assert (trail["multi_region"], trail["log_file_validation"], trail["is_logging"]) == (True, True, True)
    assert (trail["management_events"], trail["excluded_sources"]) == ("All", [])
    (regional,) = scan.run("trails", "us-east-1").rows()
    assert (regional["name"], regional["is_logging"], regional["multi_region"]) == ("regional", False, False)


def test_keys(scan):
    keys = scan.run("keys").by("description")
    assert (keys["customer data"]["rotatable"], keys["customer data"]["rotation_enabled"]) == (True, True)
    assert (keys["archive"]["rotatable"], keys["archive"]["rotation_enabled"]) == (True, False)
    assert (keys["signing"]["rotatable"], keys["signing"]["rotation_enabled"]) == (False, None)
    assert keys["signing"]["spec"] == "RSA_2048"


def test_databases(scan):
    found = scan.run("databases").by("id")
    columns = ("encrypted", "public", "multi_az", "backup_retention_days", "deletion_protection")
    assert {name: tuple(row[column] for column in columns) for name, row in found.items()} == {
        "orders": (True, False, True, 7, True),
        "reporting": (False, True, False, 0, False),
    }
    assert scan.run("databases", "us-east-1").rows() == []


def test_events_of_the_log_files(scan):
    fetched = scan.run("events")
    assert fetched.flaws == []
    events = fetched.rows()
    assert lines_where(
        events,
        lambda e: e["event_name"] == "ConsoleLogin",
        "user_type",
        "user_name",
        "console_login",
        "mfa_authenticated",
    ) == {
        ("Root", None, "Success", False),
        ("IAMUser", "ada.lovelace@example.com", "Success", True),
        ("IAMUser", "alan.turing@example.com", "Success", False),
        ("IAMUser", "katherine.johnson@example.com", "Failure", False),
    }
    key = scan.run("credential_report").by("user")[f"{LEAVER}@example.com"]
    leaver = [event for event in events if event["user_name"] == f"{LEAVER}@example.com"]
    assert key["access_key_1_active"]
    assert {event["access_key_id"][:4] for event in leaver} <= {"AKIA", "LKIA"}
    assert lines_where(leaver, lambda e: True, "event_name", "error_code") == {
        ("GetObject", None),
        ("ListUsers", "AccessDenied"),
    }
    assert [e["resources"] for e in leaver if e["event_name"] == "GetObject"] == [
        ["arn:aws:s3:::example-invoices/2026.csv"]
    ]
    assert len({event["event_id"] for event in events}) == len(events)
    assert not [event for event in events if "Digest" in event["object"]]


def test_only_the_days_of_the_window_are_read(scan, company):
    asked = len(company.asked)
    old = Scan(scan.config, scan.now - timedelta(days=40), scan.scopes)
    fetched = old.run("events")
    assert (fetched.rows(), fetched.flaws) == ([], [])
    assert not [operation for operation in company.asked[asked:] if operation.endswith(".gz")]
