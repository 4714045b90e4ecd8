"""one-time links lead to Tasks, of referrals or of clients

Revision: 0022
Follows: 0021
"""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    for table in ("guest_link", "guest_visit"):
        op.drop_constraint(f"fk_{table}_loop", table, type_="foreignkey")
        op.alter_column(table, "loop", new_column_name="task")
