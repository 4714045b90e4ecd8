"""offers have a term

Revision: 0019
Follows: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("offer", sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("offer", sa.Column("told", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_offer_since", "offer", ["since"], unique=False, postgresql_where=sa.text("told IS NULL")
    )
