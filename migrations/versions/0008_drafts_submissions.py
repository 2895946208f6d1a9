"""Edits in progress, the ways a listing ends, sign-off inside an organisation."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


_CHECKS = {
    "state": "state IN ('staged', 'draft', 'published', 'withdrawn', 'taken_down', 'closed')",
    "current": "(state IN ('staged', 'draft')) = (current_id IS NULL)",
    "outcome": "outcome IN ('solved', 'unsolved', 'elsewhere')",
    "closed": "(state = 'closed') = (outcome IS NOT NULL)",
    "outcome_fen": "outcome_fen >= 0",
}
_CHECKS_BEFORE = {
    "state": "state IN ('staged', 'published', 'withdrawn')",
    "current": "(state = 'staged') = (current_id IS NULL)",
}


def upgrade() -> None:
    op.create_table(
        "listing_submission",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("content", Document, nullable=False),
        sa.Column("base_revision_id", sa.BigInteger(), nullable=True),
        sa.Column("revision_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("authors", Document, nullable=False),
        sa.Column("cleared", sa.Boolean(), nullable=False),
        sa.Column("cleared_no", sa.String(length=100), nullable=True),
        sa.Column("cleared_by", sa.String(length=60), nullable=True),
        sa.Column("notes", Document, nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(state = 'published') = (revision_id IS NOT NULL)",
            name=op.f("ck_listing_submission_revision"),
        ),
        sa.CheckConstraint(
            "source IN ('web', 'telephone', 'visit', 'wechat', 'paper', 'api', 'import')",
            name=op.f("ck_listing_submission_source"),
        ),
        sa.CheckConstraint(
            "state <> 'submitted' OR submitted_at IS NOT NULL",
            name=op.f("ck_listing_submission_submitted"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'signing', 'submitted', 'returned', 'published', 'discarded')",
            name=op.f("ck_listing_submission_state"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_submission_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_listing_submission_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_listing_submission_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_listing_submission_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_submission")),
        sa.UniqueConstraint("no", name=op.f("uq_listing_submission_no")),
    )
    with op.batch_alter_table("listing_submission", schema=None) as batch_op:
        batch_op.create_index("ix_listing_submission_listing", ["listing_id", "id"], unique=False)
        batch_op.create_index(
            "ix_listing_submission_open",
            ["listing_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('draft', 'signing', 'submitted', 'returned')"),
            postgresql_where=sa.text("state IN ('draft', 'signing', 'submitted', 'returned')"),
        )
        batch_op.create_index(
            "ix_listing_submission_owner", ["organisation_id", "state", "updated_at"], unique=False
        )
        batch_op.create_index("ix_listing_submission_region", ["region_id", "state"], unique=False)

    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_listing_state"), type_="check")
        batch_op.drop_constraint(op.f("ck_listing_current"), type_="check")
        batch_op.add_column(sa.Column("outcome", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("outcome_with", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("outcome_fen", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("reminded", sa.String(length=20), nullable=True))
        batch_op.create_index("ix_listing_published", ["state", "published_at"], unique=False)
        for name, rule in _CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_listing_{name}"), rule)

    with op.batch_alter_table("listing_revision", schema=None) as batch_op:
        batch_op.create_index("ix_listing_revision_valid_until", ["valid_until"], unique=False)

    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("signs_inside", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    op.drop_table("listing_submission")
    op.execute("DELETE FROM listing WHERE state = 'draft'")
    op.execute(
        "UPDATE listing SET state = 'withdrawn', outcome = NULL WHERE state IN ('taken_down', 'closed')"
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_column("signs_inside")

    with op.batch_alter_table("listing_revision", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_revision_valid_until")

    with op.batch_alter_table("listing", schema=None) as batch_op:
        for name in _CHECKS:
            batch_op.drop_constraint(op.f(f"ck_listing_{name}"), type_="check")
        batch_op.drop_index("ix_listing_published")
        batch_op.drop_column("reminded")
        batch_op.drop_column("outcome_fen")
        batch_op.drop_column("outcome_with")
        batch_op.drop_column("outcome")
        for name, rule in _CHECKS_BEFORE.items():
            batch_op.create_check_constraint(op.f(f"ck_listing_{name}"), rule)
