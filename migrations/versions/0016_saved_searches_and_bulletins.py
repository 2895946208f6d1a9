"""Saved searches with what they told, and bulletins with their subscribers."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulletin",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("issued_number", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("foreword", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("told_through", RowId, nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (reason IS NOT NULL)", name=op.f("ck_bulletin_withdrawn")
        ),
        sa.CheckConstraint(
            "(state IN ('issued', 'withdrawn')) = (issued_at IS NOT NULL)",
            name=op.f("ck_bulletin_issued_at"),
        ),
        sa.CheckConstraint(
            "(state IN ('issued', 'withdrawn')) = (issued_number IS NOT NULL)",
            name=op.f("ck_bulletin_issued_number"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'issued', 'withdrawn', 'dropped')", name=op.f("ck_bulletin_state")
        ),
        sa.CheckConstraint("number BETWEEN 1 AND 999", name=op.f("ck_bulletin_number")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_bulletin_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin")),
        sa.UniqueConstraint("no", name=op.f("uq_bulletin_no")),
        sa.UniqueConstraint(
            "region_id",
            "year",
            "issued_number",
            name=op.f("uq_bulletin_region_id_year_issued_number"),
        ),
    )
    with op.batch_alter_table("bulletin", schema=None) as batch_op:
        batch_op.create_index("ix_bulletin_issued", ["state", "issued_at"], unique=False)
        batch_op.create_index(
            "ix_bulletin_region", ["region_id", "state", "issued_at"], unique=False
        )
        batch_op.create_index("ix_bulletin_told", ["told_through"], unique=False)

    op.create_table(
        "bulletin_subscription",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "language IN ('zh', 'en')", name=op.f("ck_bulletin_subscription_language")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_bulletin_subscription_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_bulletin_subscription_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_subscription")),
        sa.UniqueConstraint(
            "person_id", "region_id", name=op.f("uq_bulletin_subscription_person_id_region_id")
        ),
    )
    with op.batch_alter_table("bulletin_subscription", schema=None) as batch_op:
        batch_op.create_index("ix_bulletin_subscription_region", ["region_id", "id"], unique=False)

    op.create_table(
        "saved_search",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("told_until", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_saved_search_language")),
        sa.CheckConstraint("rhythm IN ('daily', 'weekly')", name=op.f("ck_saved_search_rhythm")),
        sa.CheckConstraint(
            "(paused_at IS NULL) = (next_at IS NOT NULL)", name=op.f("ck_saved_search_paused")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_saved_search_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
    )
    with op.batch_alter_table("saved_search", schema=None) as batch_op:
        batch_op.create_index("ix_saved_search_next", ["next_at", "id"], unique=False)
        batch_op.create_index("ix_saved_search_person", ["person_id", "id"], unique=False)

    op.create_table(
        "bulletin_item",
        sa.Column("id", RowId, nullable=False),
        sa.Column("bulletin_id", RowId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("content", Document, nullable=True),
        sa.ForeignKeyConstraint(
            ["bulletin_id"], ["bulletin.id"], name=op.f("fk_bulletin_item_bulletin_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_bulletin_item_listing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_item")),
        sa.UniqueConstraint(
            "bulletin_id", "listing_id", name=op.f("uq_bulletin_item_bulletin_id_listing_id")
        ),
    )
    with op.batch_alter_table("bulletin_item", schema=None) as batch_op:
        batch_op.create_index("ix_bulletin_item_listing", ["listing_id"], unique=False)

    op.create_table(
        "saved_hit",
        sa.Column("search_id", RowId, nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_saved_hit_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["search_id"], ["saved_search.id"], name=op.f("fk_saved_hit_search_id")
        ),
        sa.PrimaryKeyConstraint("search_id", "listing_id", name=op.f("pk_saved_hit")),
    )
    with op.batch_alter_table("saved_hit", schema=None) as batch_op:
        batch_op.create_index(
            "ix_saved_hit_told", ["search_id", "told_at", "position"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("saved_hit", schema=None) as batch_op:
        batch_op.drop_index("ix_saved_hit_told")

    op.drop_table("saved_hit")
    with op.batch_alter_table("bulletin_item", schema=None) as batch_op:
        batch_op.drop_index("ix_bulletin_item_listing")

    op.drop_table("bulletin_item")
    with op.batch_alter_table("saved_search", schema=None) as batch_op:
        batch_op.drop_index("ix_saved_search_person")
        batch_op.drop_index("ix_saved_search_next")

    op.drop_table("saved_search")
    with op.batch_alter_table("bulletin_subscription", schema=None) as batch_op:
        batch_op.drop_index("ix_bulletin_subscription_region")

    op.drop_table("bulletin_subscription")
    with op.batch_alter_table("bulletin", schema=None) as batch_op:
        batch_op.drop_index("ix_bulletin_told")
        batch_op.drop_index("ix_bulletin_region")
        batch_op.drop_index("ix_bulletin_issued")

    op.drop_table("bulletin")
