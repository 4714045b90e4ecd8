"""a share is kept for each loop that made the resource known

Revision: 0019
Follows: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.drop_constraint(op.f("pk_share"), "share", type_="primary")
    op.create_primary_key(op.f("pk_share"), "share", ["party", "type", "id", "loop"])
    # Of a client in several loops only the first was kept: the others are known from the loops and offers themselves.
    op.execute(
        """INSERT INTO share (party, type, id, loop, since)
           SELECT partner, 'Patient', split_part(patient, '/', 2), id, opened FROM loop
           WHERE direction = 'outbound' AND patient LIKE 'Patient/%'
           UNION
           SELECT o.partner, 'Patient', split_part(t.patient, '/', 2), o.task, o.since
           FROM offer o JOIN resource t ON t.type = 'Task' AND t.id = o.task
           WHERE t.patient LIKE 'Patient/%'
           ON CONFLICT DO NOTHING"""
    )
