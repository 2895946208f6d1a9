"""Voucher money: a firm's own check of an invoice, answers to reasons, ratings of services."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_RESULTS = "own_result IN ('valid', 'red', 'void', 'unknown')"


def upgrade() -> None:
    op.create_table(
        "voucher_rating",
        sa.Column("order_id", RowId, autoincrement=False, nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_voucher_rating_stars")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["voucher_order.id"], name=op.f("fk_voucher_rating_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_voucher_rating")),
    )
    with op.batch_alter_table("voucher_review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answers", Document, nullable=True))
    with op.batch_alter_table("voucher_invoice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("own_result", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("own_on", sa.Date(), nullable=True))
        batch_op.create_check_constraint(op.f("ck_voucher_invoice_own_result"), _RESULTS)


def downgrade() -> None:
    with op.batch_alter_table("voucher_invoice", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_voucher_invoice_own_result"), type_="check")
        batch_op.drop_column("own_on")
        batch_op.drop_column("own_result")
    with op.batch_alter_table("voucher_review", schema=None) as batch_op:
        batch_op.drop_column("answers")
    op.drop_table("voucher_rating")
