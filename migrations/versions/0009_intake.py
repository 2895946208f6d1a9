"""First demands without an account, and what offices type for callers."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "intake",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=True),
        sa.Column("receipt_until", UtcDateTime(), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("product", sa.String(length=100), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=True),
        sa.Column("firm", sa.String(length=200), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("telephone", sa.Text(), nullable=True),
        sa.Column("telephone_key", sa.String(length=32), nullable=True),
        sa.Column("text_key", sa.String(length=64), nullable=False),
        sa.Column("doubts", Document, nullable=False),
        sa.Column("consent_at", UtcDateTime(), nullable=False),
        sa.Column("network", sa.String(length=32), nullable=False),
        sa.Column("sender", sa.String(length=200), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("organisation_id", RowId, nullable=True),
        sa.Column("submission_no", sa.String(length=20), nullable=True),
        sa.Column("duplicate_of_id", RowId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'completed') = (submission_no IS NOT NULL)",
            name=op.f("ck_intake_completed_with_a_draft"),
        ),
        sa.CheckConstraint(
            "(state = 'duplicate') = (duplicate_of_id IS NOT NULL)",
            name=op.f("ck_intake_duplicate"),
        ),
        sa.CheckConstraint(
            "source IN ('web', 'telephone', 'visit', 'wechat', 'paper')",
            name=op.f("ck_intake_source"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'doubtful', 'calling', 'completed', 'dropped', 'duplicate')",
            name=op.f("ck_intake_state"),
        ),
        sa.ForeignKeyConstraint(
            ["duplicate_of_id"], ["intake.id"], name=op.f("fk_intake_duplicate_of_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_intake_organisation_id")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_intake_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake")),
        sa.UniqueConstraint("no", name=op.f("uq_intake_no")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_intake_receipt_hash")),
    )
    with op.batch_alter_table("intake", schema=None) as batch_op:
        batch_op.create_index("ix_intake_network", ["network", "created_at"], unique=False)
        batch_op.create_index("ix_intake_organisation", ["organisation_id"], unique=False)
        batch_op.create_index("ix_intake_region", ["region_id", "state", "due"], unique=False)
        batch_op.create_index("ix_intake_state", ["state", "due"], unique=False)
        batch_op.create_index("ix_intake_telephone", ["telephone_key", "created_at"], unique=False)
        batch_op.create_index("ix_intake_text", ["text_key", "created_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("intake", schema=None) as batch_op:
        batch_op.drop_index("ix_intake_text")
        batch_op.drop_index("ix_intake_telephone")
        batch_op.drop_index("ix_intake_state")
        batch_op.drop_index("ix_intake_region")
        batch_op.drop_index("ix_intake_organisation")
        batch_op.drop_index("ix_intake_network")

    op.drop_table("intake")
