"""The database: SQLAlchemy models, the session and Alembic migrations."""
