"""services that may be one too many

Revision: 0019
Follows: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

NOTICE = """
CREATE FUNCTION compare_services() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO uncompared (patient) VALUES (NEW.patient);
  RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER compare_services AFTER INSERT OR UPDATE ON resource FOR EACH ROW
WHEN (NEW.patient IS NOT NULL AND NEW.type IN ('ServiceRequest', 'CarePlan', 'Procedure', 'Encounter', 'Task',
  'Consent', 'EpisodeOfCare'))
EXECUTE FUNCTION compare_services()
"""
THOSE_HERE = """
INSERT INTO uncompared (patient)
SELECT DISTINCT patient FROM resource
WHERE type IN ('ServiceRequest', 'CarePlan') AND NOT deleted AND patient IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "duplicate",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("patient", sa.Text(collation="C"), nullable=False),
        sa.Column("one", sa.Text(collation="C"), nullable=False),
        sa.Column("two", sa.Text(collation="C"), nullable=False),
        sa.Column("service", sa.Text(collation="C"), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("hidden", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("found", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("resolved", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Text(collation="C"), nullable=False),
        sa.Column("units", sa.Float(), nullable=True),
        sa.Column("weekly", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate")),
    )
    op.create_index("ix_duplicate_patient", "duplicate", ["patient"], unique=False)
    op.create_index(
        "ix_duplicate_until",
        "duplicate",
        ["until"],
        unique=False,
        postgresql_where=sa.text("resolution = ''"),
    )
    op.create_table(
        "uncompared",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("patient", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uncompared")),
    )
    op.execute(NOTICE)
    op.execute(TRIGGER)
    op.execute(THOSE_HERE)
