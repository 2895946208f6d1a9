"""Who made a token: a program is its maker's hand where two different people must act."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# The audit knows who made the tokens that there are.
_MAKERS = """
UPDATE api_token SET created_by_id = (
    SELECT MAX(audit_entry.actor_id) FROM audit_entry
    WHERE audit_entry.object_kind = 'api_token' AND audit_entry.object_id = api_token.id
    AND audit_entry.action = 'token.created' AND audit_entry.actor_kind = 'person'
    AND audit_entry.actor_id IN (SELECT id FROM person)
)
"""
_EVENTS = """
UPDATE case_event SET maker_id = (
    SELECT api_token.created_by_id FROM api_token WHERE api_token.id = case_event.actor_id
) WHERE actor_kind = 'token'
"""


def upgrade() -> None:
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("created_by_id", _ID, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_api_token_created_by_id_person"), "person", ["created_by_id"], ["id"]
        )
    with op.batch_alter_table("case_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("maker_id", sa.BigInteger(), nullable=True))
    op.execute(_MAKERS)
    op.execute(_EVENTS)


def downgrade() -> None:
    with op.batch_alter_table("case_event", schema=None) as batch_op:
        batch_op.drop_column("maker_id")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_api_token_created_by_id_person"), type_="foreignkey")
        batch_op.drop_column("created_by_id")
