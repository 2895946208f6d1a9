"""the owner's colleague beside the office's handler; former names; counties' targets for reviews."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Whom an owner had given an inquiry stood where the office's handler stands.
_OWNERS_COLLEAGUE = """
    UPDATE work_item SET owner_assignee_id = assignee_id, assignee_id = NULL
    WHERE kind = 'inquiry' AND assignee_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM role_grant WHERE role_grant.person_id = work_item.assignee_id
        AND role_grant.organisation_id = work_item.organisation_id
    )
"""
_BACK = """
    UPDATE work_item SET assignee_id = owner_assignee_id
    WHERE owner_assignee_id IS NOT NULL AND assignee_id IS NULL
"""


def upgrade() -> None:
    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_assignee_id", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_work_item_owner_assignee", ["owner_assignee_id", "side", "due"], unique=False
        )
    op.execute(_OWNERS_COLLEAGUE)

    op.create_table(
        "organisation_former_name",
        sa.Column("id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded_name", sa.String(length=200), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_organisation_former_name_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_former_name")),
    )
    with op.batch_alter_table("organisation_former_name", schema=None) as batch_op:
        for column in ("organisation_id", "folded_name"):
            name = f"ix_organisation_former_name_{column}"
            batch_op.create_index(batch_op.f(name), [column], unique=False)

    op.create_table(
        "review_target",
        sa.Column("region_id", RowId, autoincrement=False, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("days BETWEEN 0 AND 60", name=op.f("ck_review_target_days")),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_review_target_region_id")
        ),
        sa.PrimaryKeyConstraint("region_id", name=op.f("pk_review_target")),
    )


def downgrade() -> None:
    op.drop_table("review_target")
    op.drop_table("organisation_former_name")
    op.execute(_BACK)
    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.drop_index("ix_work_item_owner_assignee")
        batch_op.drop_column("owner_assignee_id")
