"""messages that were taken from partners

Revision: 0022
Follows: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("partner", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"], ["partner.client_id"], name=op.f("fk_message_partner_partner"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("partner", "id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_at"), "message", ["at"])
