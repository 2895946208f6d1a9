"""Calls, answers to them, and the versions of answers."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=True),
        sa.Column("shows_result", sa.Boolean(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("notice_no", sa.String(length=20), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'closed', 'chosen', 'none', 'done', 'withdrawn')",
            name=op.f("ck_call_state"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR opened_at IS NOT NULL", name=op.f("ck_call_opened")
        ),
        sa.CheckConstraint(
            "state NOT IN ('chosen', 'none') OR decided_at IS NOT NULL",
            name=op.f("ck_call_decided"),
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_call_listing_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["organisation.id"], name=op.f("fk_call_owner_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_call_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("no", name=op.f("uq_call_no")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index("ix_call_deadline", ["state", "deadline"], unique=False)
        batch_op.create_index("ix_call_listing", ["listing_id", "id"], unique=False)
        batch_op.create_index("ix_call_owner", ["owner_id", "state", "updated_at"], unique=False)
        batch_op.create_index("ix_call_region", ["region_id", "state", "updated_at"], unique=False)

    op.create_table(
        "call_answer",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("call_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("typed", Document, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'sent', 'withdrawn', 'chosen', 'lost')",
            name=op.f("ck_call_answer_state"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR version > 0", name=op.f("ck_call_answer_sent")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_call_answer_call_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_call_answer_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_answer")),
        sa.UniqueConstraint("no", name=op.f("uq_call_answer_no")),
    )
    with op.batch_alter_table("call_answer", schema=None) as batch_op:
        batch_op.create_index("ix_call_answer_call", ["call_id", "state", "id"], unique=False)
        batch_op.create_index(
            "ix_call_answer_organisation", ["organisation_id", "state", "updated_at"], unique=False
        )

    op.create_table(
        "call_answer_version",
        sa.Column("id", RowId, nullable=False),
        sa.Column("answer_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("approach", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("files", Document, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("sent_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("months BETWEEN 1 AND 120", name=op.f("ck_call_answer_version_months")),
        sa.CheckConstraint("price_fen >= 0", name=op.f("ck_call_answer_version_price")),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["call_answer.id"], name=op.f("fk_call_answer_version_answer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_answer_version")),
        sa.UniqueConstraint(
            "answer_id", "version", name=op.f("uq_call_answer_version_answer_id_version")
        ),
    )


def downgrade() -> None:
    op.drop_table("call_answer_version")
    with op.batch_alter_table("call_answer", schema=None) as batch_op:
        batch_op.drop_index("ix_call_answer_organisation")
        batch_op.drop_index("ix_call_answer_call")

    op.drop_table("call_answer")
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.drop_index("ix_call_region")
        batch_op.drop_index("ix_call_owner")
        batch_op.drop_index("ix_call_listing")
        batch_op.drop_index("ix_call_deadline")

    op.drop_table("call")
