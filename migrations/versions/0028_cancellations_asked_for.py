"""a cancellation that is asked for by a Task of its own

Revision: 0028
Follows: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("loop", sa.Column("abort", sa.Text(collation="C"), nullable=True))
    op.add_column("loop", sa.Column("abort_remote", sa.Text(), nullable=True))
    op.create_index(
        "ix_loop_abort", "loop", ["abort"], unique=True, postgresql_where=sa.text("abort IS NOT NULL")
    )
    op.drop_constraint(op.f("ck_delivery_kind"), "delivery", type_="check")
    op.create_check_constraint(
        op.f("ck_delivery_kind"), "delivery", "kind IN ('referral', 'status', 'cancellation')"
    )
