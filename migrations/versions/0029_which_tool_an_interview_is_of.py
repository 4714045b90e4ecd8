"""which tool an interview is of

Revision: 0026
Follows: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column(
        "gpra_interview",
        sa.Column("tool", sa.Text(collation="C"), nullable=False, server_default="csat-gpra"),
    )
    op.execute("""UPDATE gpra_interview i SET tool = convert_from(r.body, 'UTF8')::json ->> 'tool' FROM record r
      WHERE r.source = i.source AND r.kind = 'gpra-interviews' AND r.id = i.record
        AND convert_from(r.body, 'UTF8')::json ->> 'tool' IS NOT NULL""")
    op.drop_constraint("pk_gpra_interview", "gpra_interview", type_="primary")
    op.create_primary_key(
        "pk_gpra_interview", "gpra_interview", ["grant_no", "gpra_id", "type", "sequence", "tool"]
    )
