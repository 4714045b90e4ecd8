"""people nobody has compared yet, and a key for every reference

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LED = """
UPDATE resource r SET keys = r.keys || led.found
FROM (
  SELECT b.type, b.id, array_agg(DISTINCT hashtextextended('>' || m[1], 0)) AS found
  FROM resource b, regexp_matches(
    convert_from(b.body, 'UTF8'), '"reference":"(?:https?://[^"]*/)?([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})"', 'g') m
  WHERE NOT b.deleted GROUP BY b.type, b.id
) led
WHERE r.type = led.type AND r.id = led.id"""
"""As service.fhir.search.keys.leading writes them; one too many does no harm: a delete looks again."""


def upgrade() -> None:
    op.create_table(
        "newcomer",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_newcomer")),
    )
    op.get_bind().exec_driver_sql(_LED)
    op.execute("INSERT INTO newcomer SELECT id, version FROM resource WHERE type = 'Patient' AND NOT deleted")
