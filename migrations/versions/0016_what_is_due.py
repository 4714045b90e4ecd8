"""what is due: cases that are watched, and a trigger that tells when something is filed about one

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

STIR = """
CREATE FUNCTION stir() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.type = 'EpisodeOfCare' OR EXISTS (SELECT 1 FROM due_client d WHERE d.patient = NEW.patient) THEN
    INSERT INTO stirred (patient) VALUES (NEW.patient);
  END IF;
  RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER stir AFTER INSERT OR UPDATE ON resource FOR EACH ROW
WHEN (NEW.patient IS NOT NULL AND NEW.type IN ('EpisodeOfCare', 'Encounter', 'Communication', 'Task', 'CarePlan',
  'QuestionnaireResponse', 'Procedure', 'DocumentReference', 'ServiceRequest'))
EXECUTE FUNCTION stir()
"""
THOSE_HERE = """
INSERT INTO stirred (patient)
SELECT patient FROM resource WHERE type = 'EpisodeOfCare' AND NOT deleted AND patient IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "agency_calendar",
        sa.Column("agency", sa.Text(collation="C"), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("week", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("holidays", sa.ARRAY(sa.Date()), nullable=False),
        sa.PrimaryKeyConstraint("agency", name=op.f("pk_agency_calendar")),
    )
    op.create_table(
        "due_client",
        sa.Column("patient", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("look", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("patient", name=op.f("pk_due_client")),
    )
    op.create_index("ix_due_client_look", "due_client", ["look"], unique=False)
    op.create_table(
        "due_item",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("patient", sa.Text(collation="C"), nullable=False),
        sa.Column("timer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(collation="C"), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(collation="C"), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("task", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_item")),
    )
    op.create_index("ix_due_item_patient", "due_item", ["patient"], unique=False)
    op.create_table(
        "stirred",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("patient", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stirred")),
    )
    op.execute(STIR)
    op.execute(TRIGGER)
    op.execute(THOSE_HERE)
