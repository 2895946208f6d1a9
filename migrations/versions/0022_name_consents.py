"""to whom a firm that keeps its name back lets it be known."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "name_consent",
        sa.Column("id", RowId, nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=True),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("case_no", sa.String(length=20), nullable=True),
        sa.Column("case_kind", sa.String(length=20), nullable=False),
        sa.Column("given_in", sa.String(length=20), nullable=False),
        sa.Column("receiver", sa.String(length=200), nullable=False),
        sa.Column("means", sa.String(length=10), nullable=False),
        sa.Column("given_by", sa.String(length=200), nullable=False),
        sa.Column("given_by_id", RowId, nullable=True),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN person_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN case_no IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_name_consent_receiver"),
        ),
        sa.CheckConstraint(
            "means IN ('site', 'telephone', 'paper', 'wechat')", name=op.f("ck_name_consent_means")
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)",
            name=op.f("ck_name_consent_withdrawn"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_name_consent_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_name_consent_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_name_consent_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["given_by_id"], ["person.id"], name=op.f("fk_name_consent_given_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_consent")),
    )
    with op.batch_alter_table("intake") as batch:
        batch.add_column(
            sa.Column("name_hidden", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("name_consent") as batch:
        batch.create_index("ix_name_consent_listing", ["listing_id", "id"], unique=False)
        batch.create_index("ix_name_consent_organisation", ["organisation_id"], unique=False)
        batch.create_index("ix_name_consent_person", ["person_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("intake") as batch:
        batch.drop_column("name_hidden")
    op.drop_table("name_consent")
