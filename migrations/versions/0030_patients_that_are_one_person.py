"""patients that are one person

Revision: 0023
Follows: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

SAME = """
CREATE FUNCTION same_person(text) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT array_agg(g.patient ORDER BY g.patient <> g.root, g.patient)
                   FROM one_person m JOIN one_person g USING (root) WHERE m.patient = $1), ARRAY[$1])
$$
"""
STIR = """
CREATE OR REPLACE FUNCTION stir() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.type = 'EpisodeOfCare' OR EXISTS (
    SELECT 1 FROM due_client d WHERE d.patient = NEW.patient OR d.patient = ANY(same_person(NEW.patient))) THEN
    INSERT INTO stirred (patient) VALUES (NEW.patient);
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "merged",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("target", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(collation="C"), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("links", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merged")),
    )
    op.create_index("ix_merged_target", "merged", ["target"], unique=False)
    op.create_index(
        "uq_merged_source", "merged", ["source"], unique=True, postgresql_where=sa.text("ended IS NULL")
    )
    op.create_table(
        "one_person",
        sa.Column("patient", sa.Text(collation="C"), nullable=False),
        sa.Column("root", sa.Text(collation="C"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("patient", name=op.f("pk_one_person")),
    )
    op.create_index(op.f("ix_one_person_root"), "one_person", ["root"], unique=False)
    op.execute(SAME)
    op.execute(STIR)
