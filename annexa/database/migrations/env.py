"""Alembic's entry point; annexa always hands it an open connection."""

from __future__ import annotations

from alembic import context

from annexa.database.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
