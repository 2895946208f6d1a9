"""problem reports of readers."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "problem_report",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("sender", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('unreachable', 'wrong', 'outdated', 'fraud', 'infringement', 'other')",
            name=op.f("ck_problem_report_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'handled', 'dismissed')", name=op.f("ck_problem_report_state")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_problem_report_listing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem_report")),
        sa.UniqueConstraint("no", name=op.f("uq_problem_report_no")),
    )
    with op.batch_alter_table("problem_report", schema=None) as batch_op:
        batch_op.create_index(
            "ix_problem_report_listing", ["listing_id", "created_at"], unique=False
        )
        batch_op.create_index("ix_problem_report_sender", ["sender", "created_at"], unique=False)
        batch_op.create_index("ix_problem_report_state", ["state", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("problem_report")
