"""acts on many cases; an index that holds all the desk counts by."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_action",
        sa.Column("id", RowId, nullable=False),
        sa.Column("act", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("given", Document, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("undo_until", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'undoing', 'undone')", name=op.f("ck_bulk_action_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_action")),
    )
    with op.batch_alter_table("bulk_action", schema=None) as batch_op:
        batch_op.create_index(
            "ix_bulk_action_actor", ["actor_kind", "actor_id", "id"], unique=False
        )
        batch_op.create_index("ix_bulk_action_state", ["state", "id"], unique=False)

    op.create_table(
        "bulk_row",
        sa.Column("id", RowId, nullable=False),
        sa.Column("bulk_id", RowId, nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("before", Document, nullable=True),
        sa.Column("after", Document, nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("messages", Document, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'refused', 'undone', 'kept')",
            name=op.f("ck_bulk_row_state"),
        ),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_action.id"], name=op.f("fk_bulk_row_bulk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_row")),
    )
    with op.batch_alter_table("bulk_row", schema=None) as batch_op:
        batch_op.create_index("ix_bulk_row_bulk", ["bulk_id", "state", "id"], unique=False)

    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.drop_index("ix_work_item_area")
        batch_op.create_index(
            "ix_work_item_area",
            ["side", "region_path", "due", "assignee_id", "returned", "opened_at", "kind"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.drop_index("ix_work_item_area")
        batch_op.create_index("ix_work_item_area", ["side", "region_path", "due"], unique=False)

    with op.batch_alter_table("bulk_row", schema=None) as batch_op:
        batch_op.drop_index("ix_bulk_row_bulk")

    op.drop_table("bulk_row")
    with op.batch_alter_table("bulk_action", schema=None) as batch_op:
        batch_op.drop_index("ix_bulk_action_state")
        batch_op.drop_index("ix_bulk_action_actor")

    op.drop_table("bulk_action")
