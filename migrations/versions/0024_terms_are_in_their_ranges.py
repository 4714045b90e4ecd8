"""numbers of a partner's terms are in their ranges

Revision: 0024
Follows: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"


RIGHT = """jsonb_typeof(terms) = 'object' AND coalesce(terms ->> 'at_once', '1') ~ '^([1-9]|1[0-6])$'
  AND coalesce(terms ->> 'rate', '1') ~ '^([1-9][0-9]{0,4}|100000)$'
  AND coalesce(terms ->> 'poll', '60') ~ '^[0-9]{2,5}$'"""


def upgrade() -> None:
    # What cannot be read stays so, and is there to look at: the service goes on without that partner, and says it.
    op.execute(f"UPDATE partner SET terms = jsonb_build_object('spoiled', terms) WHERE NOT ({RIGHT})")  # noqa: S608
    op.execute(f"ALTER TABLE partner ADD CONSTRAINT ck_partner_terms CHECK ({RIGHT})")
