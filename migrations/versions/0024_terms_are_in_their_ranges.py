"""numbers of a partner's terms are in their ranges

Revision: 0023
Follows: 0022
"""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    # Not of the rows there are: the service says which of them it cannot read, and goes on without that partner.
    op.execute(
        """ALTER TABLE partner ADD CONSTRAINT ck_partner_terms CHECK (
             jsonb_typeof(terms) = 'object'
             AND coalesce(terms ->> 'at_once', '1') ~ '^([1-9]|1[0-6])$'
             AND coalesce(terms ->> 'rate', '1') ~ '^([1-9][0-9]{0,4}|100000)$'
             AND coalesce(terms ->> 'poll', '60') ~ '^[0-9]{2,5}$') NOT VALID"""
    )
