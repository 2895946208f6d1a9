"""regions organisations listings."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime, path_column

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_run",
        sa.Column("id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('staging', 'done', 'refused', 'abandoned', 'undone')",
            name=op.f("ck_import_run_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_table(
        "reference_data",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reference_data")),
    )
    op.create_table(
        "region",
        sa.Column("id", RowId, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("short_name", sa.String(length=60), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("pinyin", sa.String(length=100), nullable=False),
        sa.Column("initials", sa.String(length=30), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("parent_id", RowId, nullable=True),
        sa.Column("path", path_column(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor_id", RowId, nullable=True),
        sa.CheckConstraint(
            "level IN ('province', 'prefecture', 'county', 'township')",
            name=op.f("ck_region_level"),
        ),
        sa.CheckConstraint(
            "(successor_id IS NULL) OR (valid_to IS NOT NULL)", name=op.f("ck_region_successor")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["region.id"], name=op.f("fk_region_parent_id")),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["region.id"], name=op.f("fk_region_successor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sa.UniqueConstraint("code", name=op.f("uq_region_code")),
    )
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.create_index("ix_region_initials", ["initials"], unique=False)
        batch_op.create_index("ix_region_name", ["name"], unique=False)
        batch_op.create_index("ix_region_parent", ["parent_id"], unique=False)
        batch_op.create_index("ix_region_path", ["path"], unique=False)
        batch_op.create_index("ix_region_pinyin", ["pinyin"], unique=False)
        batch_op.create_index("ix_region_short_name", ["short_name"], unique=False)

    op.create_table(
        "term",
        sa.Column("scheme", sa.String(length=30), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("label_en", sa.String(length=200), nullable=True),
        sa.Column("parent_code", sa.String(length=30), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("scheme", "code", name=op.f("pk_term")),
    )
    with op.batch_alter_table("term", schema=None) as batch_op:
        batch_op.create_index("ix_term_label", ["scheme", "label"], unique=False)

    op.create_table(
        "organisation",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded_name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("supervising", sa.String(length=200), nullable=True),
        sa.Column("telephone", sa.String(length=60), nullable=True),
        sa.Column("contact", sa.String(length=100), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("hours", sa.String(length=100), nullable=True),
        sa.Column("website", sa.String(length=300), nullable=True),
        sa.Column("intro", sa.Text(), nullable=True),
        sa.Column("source_id", sa.String(length=100), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("import_id", RowId, nullable=True),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('enterprise', 'institute', 'cooperative', 'office', 'institution')",
            name=op.f("ck_organisation_kind"),
        ),
        sa.CheckConstraint(
            "state = 'active' OR import_id IS NOT NULL",
            name=op.f("ck_organisation_staged_by_import"),
        ),
        sa.CheckConstraint("state IN ('staged', 'active')", name=op.f("ck_organisation_state")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_organisation_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_organisation_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("no", name=op.f("uq_organisation_no")),
        sa.UniqueConstraint("uscc", name=op.f("uq_organisation_uscc")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index("ix_organisation_folded_name", ["folded_name"], unique=False)
        batch_op.create_index("ix_organisation_import", ["import_id"], unique=False)
        batch_op.create_index("ix_organisation_region", ["region_id", "kind"], unique=False)
        batch_op.create_index("ix_organisation_source", ["source_id"], unique=False)

    op.create_table(
        "region_former_code",
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_region_former_code_region_id")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_region_former_code")),
    )
    with op.batch_alter_table("region_former_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_region_former_code_region_id"), ["region_id"], unique=False
        )

    op.create_table(
        "listing",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("folded_title", sa.String(length=300), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("current_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", RowId, nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'staged') = (current_id IS NULL)", name=op.f("ck_listing_current")
        ),
        sa.CheckConstraint("kind IN ('achievement', 'demand')", name=op.f("ck_listing_kind")),
        sa.CheckConstraint(
            "state IN ('staged', 'published', 'withdrawn')", name=op.f("ck_listing_state")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_listing_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_listing_owner_id")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_listing_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("no", name=op.f("uq_listing_no")),
    )
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.create_index("ix_listing_import", ["import_id"], unique=False)
        batch_op.create_index("ix_listing_key", ["owner_id", "kind", "folded_title"], unique=False)
        batch_op.create_index("ix_listing_owner", ["owner_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_region_id"), ["region_id"], unique=False)
        batch_op.create_index("ix_listing_source", ["owner_id", "kind", "source_id"], unique=False)
        batch_op.create_index("ix_listing_state", ["state", "kind", "id"], unique=False)

    op.create_table(
        "listing_revision",
        sa.Column("id", RowId, nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("import_id", RowId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("content_hash", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("folded_title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=True),
        sa.Column("trl", sa.Integer(), nullable=True),
        sa.Column("price_mode", sa.String(length=20), nullable=True),
        sa.Column("price_min_fen", sa.BigInteger(), nullable=True),
        sa.Column("price_max_fen", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("completeness", sa.Integer(), nullable=False),
        sa.Column("details", Document, nullable=False),
        sa.CheckConstraint(
            "price_max_fen >= price_min_fen", name=op.f("ck_listing_revision_price_range")
        ),
        sa.CheckConstraint("price_min_fen >= 0", name=op.f("ck_listing_revision_price_min")),
        sa.CheckConstraint("trl BETWEEN 1 AND 9", name=op.f("ck_listing_revision_trl")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_listing_revision_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_revision_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_listing_revision_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_revision")),
        sa.UniqueConstraint(
            "listing_id", "version", name=op.f("uq_listing_revision_listing_id_version")
        ),
    )
    with op.batch_alter_table("listing_revision", schema=None) as batch_op:
        batch_op.create_index("ix_listing_revision_import", ["import_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("listing_revision", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_revision_import")

    op.drop_table("listing_revision")
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_state")
        batch_op.drop_index("ix_listing_source")
        batch_op.drop_index(batch_op.f("ix_listing_region_id"))
        batch_op.drop_index("ix_listing_owner")
        batch_op.drop_index("ix_listing_key")
        batch_op.drop_index("ix_listing_import")

    op.drop_table("listing")
    with op.batch_alter_table("region_former_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_region_former_code_region_id"))

    op.drop_table("region_former_code")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_index("ix_organisation_source")
        batch_op.drop_index("ix_organisation_region")
        batch_op.drop_index("ix_organisation_import")
        batch_op.drop_index("ix_organisation_folded_name")

    op.drop_table("organisation")
    with op.batch_alter_table("term", schema=None) as batch_op:
        batch_op.drop_index("ix_term_label")

    op.drop_table("term")
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.drop_index("ix_region_short_name")
        batch_op.drop_index("ix_region_pinyin")
        batch_op.drop_index("ix_region_path")
        batch_op.drop_index("ix_region_parent")
        batch_op.drop_index("ix_region_name")
        batch_op.drop_index("ix_region_initials")

    op.drop_table("region")
    op.drop_table("reference_data")
    op.drop_table("import_run")
