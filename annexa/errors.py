"""Every error annexa raises on purpose, each with what to do next.

One base class, one class per family. The text of an error says what happened and where; `remedy` says
what the reader can do about it. The CLI prints both and exits with `exit_code` (64 and above: usage and
configuration, after sysexits.h; 2: collecting or checking; 3: stale or incomplete).
"""

from __future__ import annotations


class AnnexaError(Exception):
    """Base of all errors that a user can do something about.

    Args:
        message: What happened, with the place (file and line, source, table) when there is one.
        remedy: What to do; overrides the family's own advice when a better one is known here.
    """

    exit_code = 70
    remedy = "Run again with --debug and report the output."

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        if remedy is not None:
            self.remedy = remedy


class DocumentError(AnnexaError):
    """A YAML or JSON document cannot be read or breaks its schema.

    Args:
        message: What is wrong.
        path: The file.
        line: 1-based line, when known.
        field: Dotted path of the field inside the document, when known.
    """

    exit_code = 65
    remedy = "Correct the file at the place named and run the command again; nothing was written."

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        field: str = "",
        remedy: str | None = None,
    ) -> None:
        self.path, self.line, self.field = path, line, field
        place = ":".join(str(part) for part in (path, line) if part)
        where = f"{place}: " if place else ""
        what = f"{field}: " if field else ""
        super().__init__(f"{where}{what}{message}", remedy=remedy)


class ConfigError(DocumentError):
    """config.yaml is missing, malformed or contradicts itself."""

    exit_code = 78
    remedy = "Correct config.yaml; `annexa doctor` checks it, config.example.yaml documents every option."


class PackError(DocumentError):
    """A pack's collector, check, mapping or SoA content cannot be used."""

    exit_code = 65
    remedy = "Correct the file in the pack; `annexa checks test` and `annexa doctor` check a pack."


class SecretError(AnnexaError):
    """A secret reference cannot be resolved. The secret itself is never part of the message."""

    exit_code = 78
    remedy = "Set the environment variable, create the file (mode 0600) or store the keyring entry that is named."


class CollectError(AnnexaError):
    """A source could not be read, in whole or in part. A shard that raises it is never complete."""

    exit_code = 2
    remedy = "`annexa doctor` tries each source and says what is missing."


class Denied(CollectError):
    """The system refused the call: the credential lacks a permission.

    Args:
        message: What was refused.
        permission: The permission to grant, in the vendor's own words, when known.
    """

    def __init__(self, message: str, *, permission: str = "", remedy: str | None = None) -> None:
        self.permission = permission
        grant = f"Grant {permission} to the credential of this source." if permission else None
        super().__init__(message, remedy=remedy or grant)


class NotFound(CollectError):
    """The system says that the resource does not exist (HTTP 404 and its kin).

    Args:
        message: What is not there.
        code: The vendor's own word for it (`NoSuchBucketPolicy`), where it tells one absence from another.
    """

    def __init__(self, message: str, *, code: str = "", remedy: str | None = None) -> None:
        self.code = code
        super().__init__(message, remedy=remedy)


class Unavailable(CollectError):
    """The service does not exist here (a region without it, a plan without the feature): `na`, with its reason."""


class Unreadable(CollectError):
    """An answer or a file arrived but cannot be understood as what it claims to be."""


class StoreError(AnnexaError):
    """The evidence store or the database cannot be read or written."""

    exit_code = 74
    remedy = "Check that the disk and the database can be reached and have space; nothing acknowledged was lost."


class StoreBusy(StoreError):
    """Another annexa process is writing to the same store."""

    exit_code = 75
    remedy = "Wait for the other run to end, or give --wait SECONDS."


class Tampered(StoreError):
    """Stored bytes do not match their digest, the tree or a signature."""

    exit_code = 66
    remedy = "Do not write to this store. Keep a copy of it, and compare with a backup or a witness copy."


class CheckError(AnnexaError):
    """A check cannot be evaluated: refused by the gate, stopped by the sandbox, or its rows break the contract."""

    exit_code = 2
    remedy = "Correct the check's SQL; `annexa checks test CHECK` shows each case."


class UsageError(AnnexaError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 64
    remedy = "See `annexa --help`."
