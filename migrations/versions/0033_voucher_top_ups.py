"""Voucher money: what others add to a claim, held and paid with it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_OLD = "kind IN ('voucher', 'order', 'claim')"
_NEW = "kind IN ('voucher', 'order', 'claim', 'top_up')"


def upgrade() -> None:
    with op.batch_alter_table("voucher_claim", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("top_up_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.create_check_constraint(op.f("ck_voucher_claim_top_up"), "top_up_fen >= 0")
    with op.batch_alter_table("voucher_hold", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_voucher_hold_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_voucher_hold_kind"), _NEW)


def downgrade() -> None:
    op.execute("DELETE FROM voucher_hold WHERE kind = 'top_up'")
    with op.batch_alter_table("voucher_hold", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_voucher_hold_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_voucher_hold_kind"), _OLD)
    with op.batch_alter_table("voucher_claim", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_voucher_claim_top_up"), type_="check")
        batch_op.drop_column("top_up_fen")
