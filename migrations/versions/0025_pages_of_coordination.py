"""pages of coordination

Revision: 0022
Follows: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

OPEN = "stage IN ('soon', 'due', 'overdue', 'escalated')"


def upgrade() -> None:
    op.create_index(
        "ix_due_item_open", "due_item", ["due", "id"], unique=False, postgresql_where=sa.text(OPEN)
    )
    op.create_index(
        "ix_lead_starts", "lead", ["starts", "course"], unique=False, postgresql_where=sa.text("ends IS NULL")
    )
    op.create_table(
        "tally",
        sa.Column("measure", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("measure", name=op.f("pk_tally")),
    )
