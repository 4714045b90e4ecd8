"""a checkpoint knows the one before it

Revision: 0022
Follows: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("audit_checkpoint", sa.Column("previous", sa.BigInteger(), nullable=True))
