"""Calls whose result is put up for objections before it holds; demands know that they are called."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_CALL = ("draft", "open", "closed", "chosen", "none", "done", "withdrawn")
_CALL_NOW = ("draft", "open", "closed", "proposed", "chosen", "none", "done", "withdrawn")
_ANSWER = ("draft", "sent", "withdrawn", "chosen", "lost")
_ANSWER_NOW = ("draft", "sent", "withdrawn", "proposed", "chosen", "lost")


def upgrade() -> None:
    with op.batch_alter_table("call") as batch:
        batch.add_column(
            sa.Column("wants_notice", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        _states(batch, "ck_call_state", _CALL_NOW)
    with op.batch_alter_table("call") as batch:
        batch.alter_column("wants_notice", server_default=None)
    with op.batch_alter_table("call_answer") as batch:
        _states(batch, "ck_call_answer_state", _ANSWER_NOW)

    op.add_column("listing", sa.Column("call_until", sa.Date(), nullable=True))
    op.execute(
        "UPDATE listing SET call_until = (SELECT max(deadline) FROM call"
        " WHERE call.listing_id = listing.id AND call.state = 'open')"
    )


def downgrade() -> None:
    op.drop_column("listing", "call_until")
    # A choice that waits for its notice is taken back: the answers can be chosen again.
    op.execute("UPDATE call_answer SET state = 'sent' WHERE state = 'proposed'")
    op.execute("UPDATE call SET state = 'closed' WHERE state = 'proposed'")
    with op.batch_alter_table("call_answer") as batch:
        _states(batch, "ck_call_answer_state", _ANSWER)
    with op.batch_alter_table("call") as batch:
        _states(batch, "ck_call_state", _CALL)
        batch.drop_column("wants_notice")


def _states(batch, name: str, states: tuple[str, ...]) -> None:
    batch.drop_constraint(op.f(name), type_="check")
    batch.create_check_constraint(op.f(name), f"state IN {states}")
