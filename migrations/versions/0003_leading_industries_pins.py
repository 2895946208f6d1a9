"""leading industries and pins of counties; regions by level."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leading_industry",
        sa.Column("id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("keywords", Document, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.CheckConstraint("position BETWEEN 1 AND 5", name=op.f("ck_leading_industry_position")),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_leading_industry_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leading_industry")),
        sa.UniqueConstraint("region_id", "name", name=op.f("uq_leading_industry_region_id_name")),
        sa.UniqueConstraint(
            "region_id", "position", name=op.f("uq_leading_industry_region_id_position")
        ),
    )
    op.create_table(
        "pin",
        sa.Column("id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("pinned_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 12", name=op.f("ck_pin_position")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_pin_listing_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_pin_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin")),
        sa.UniqueConstraint("region_id", "listing_id", name=op.f("uq_pin_region_id_listing_id")),
        sa.UniqueConstraint("region_id", "position", name=op.f("uq_pin_region_id_position")),
    )
    with op.batch_alter_table("pin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pin_listing_id"), ["listing_id"], unique=False)

    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.create_index("ix_region_level", ["level"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.drop_index("ix_region_level")

    with op.batch_alter_table("pin", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pin_listing_id"))

    op.drop_table("pin")
    op.drop_table("leading_industry")
