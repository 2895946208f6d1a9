"""Until when a service point helps, what is typed and cannot be read yet, what imports left."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contract") as batch:
        batch.add_column(sa.Column("point_until", sa.Date(), nullable=True))
    # Nobody could authorise a point before; what a hand wrote has no last day and ends.
    op.execute("UPDATE contract SET point_id = NULL WHERE point_id IS NOT NULL")
    with op.batch_alter_table("contract") as batch:
        batch.create_check_constraint(
            op.f("ck_contract_authorised"), "(point_id IS NULL) = (point_until IS NULL)"
        )
    op.add_column("contract_version", sa.Column("unread", sa.Text(), nullable=True))
    op.create_table(
        "contract_trace",
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", Document, nullable=True),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_trace_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_contract_trace_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "contract_id", name=op.f("pk_contract_trace")),
    )
    op.create_index("ix_contract_trace_contract", "contract_trace", ["contract_id"])


def downgrade() -> None:
    op.drop_index("ix_contract_trace_contract", table_name="contract_trace")
    op.drop_table("contract_trace")
    with op.batch_alter_table("contract_version") as batch:
        batch.drop_column("unread")
    with op.batch_alter_table("contract") as batch:
        batch.drop_constraint(op.f("ck_contract_authorised"), type_="check")
        batch.drop_column("point_until")
