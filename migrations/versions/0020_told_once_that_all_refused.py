"""when all of its parts have refused, a referral's case manager is told once

Revision: 0020
Follows: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("loop", sa.Column("refused", sa.Integer(), nullable=True))
