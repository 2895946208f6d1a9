"""Former credit codes, requests to join, verification with sealed profiles, rosters."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roster_entry",
        sa.Column("id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded_name", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("region_id", RowId, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("import_id", RowId, nullable=False),
        sa.Column("replaced_by_id", sa.BigInteger(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(kind = 'other') = (title <> '')", name=op.f("ck_roster_entry_title")),
        sa.CheckConstraint(
            "(state = 'replaced') = (replaced_by_id IS NOT NULL)",
            name=op.f("ck_roster_entry_replaced"),
        ),
        sa.CheckConstraint(
            "kind IN ('tech_sme', 'high_tech', 'specialised', 'above_scale', 'incubated', 'other')",
            name=op.f("ck_roster_entry_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('staged', 'active', 'replaced', 'undone')",
            name=op.f("ck_roster_entry_state"),
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_roster_entry_period")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_roster_entry_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_roster_entry_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_entry")),
    )
    with op.batch_alter_table("roster_entry", schema=None) as batch_op:
        batch_op.create_index("ix_roster_entry_import", ["import_id"], unique=False)
        batch_op.create_index("ix_roster_entry_list", ["state", "year", "id"], unique=False)
        batch_op.create_index("ix_roster_entry_region", ["region_id"], unique=False)
        batch_op.create_index("ix_roster_entry_replaced", ["replaced_by_id"], unique=False)
        batch_op.create_index(
            "uq_roster_entry_key",
            ["uscc", "kind", "year", "title"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "joining",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'accepted') = (role IS NOT NULL)", name=op.f("ck_joining_accepted")
        ),
        sa.CheckConstraint(
            "role IS NULL OR role IN ('owner', 'editor', 'certifier', 'viewer', 'broker', 'point_staff', 'first_examiner', 'second_examiner', 'county', 'prefecture', 'province', 'finance', 'expert', 'system_admin', 'security_admin', 'audit_admin')",
            name=op.f("ck_joining_role"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'accepted', 'refused', 'withdrawn')",
            name=op.f("ck_joining_state"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_joining_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_joining_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joining")),
        sa.UniqueConstraint("no", name=op.f("uq_joining_no")),
    )
    with op.batch_alter_table("joining", schema=None) as batch_op:
        batch_op.create_index("ix_joining_organisation", ["organisation_id", "state"], unique=False)
        batch_op.create_index(
            "uq_joining_open",
            ["person_id", "organisation_id"],
            unique=True,
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )

    op.create_table(
        "organisation_former_code",
        sa.Column("code", sa.String(length=18), nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_organisation_former_code_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_organisation_former_code")),
    )
    with op.batch_alter_table("organisation_former_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organisation_former_code_organisation_id"),
            ["organisation_id"],
            unique=False,
        )

    op.create_table(
        "organisation_profile",
        sa.Column("organisation_id", RowId, autoincrement=False, nullable=False),
        sa.Column("legal_representative", sa.Text(), nullable=True),
        sa.Column("registered_address", sa.Text(), nullable=True),
        sa.Column("shareholders", sa.Text(), nullable=True),
        sa.Column("bank", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_organisation_profile_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisation_profile")),
    )
    op.create_table(
        "verification",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("licence_no", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("returned_field", sa.String(length=30), nullable=True),
        sa.Column("returned_rule", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'submitted') = (due IS NOT NULL)", name=op.f("ck_verification_due")
        ),
        sa.CheckConstraint(
            "state <> 'returned' OR (returned_field IS NOT NULL AND returned_rule IS NOT NULL)",
            name=op.f("ck_verification_returned"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'returned', 'verified', 'rejected')",
            name=op.f("ck_verification_state"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_verification_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
        sa.UniqueConstraint("no", name=op.f("uq_verification_no")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(
            "ix_verification_organisation", ["organisation_id", "id"], unique=False
        )
        batch_op.create_index("ix_verification_state", ["state", "id"], unique=False)
        batch_op.create_index(
            "uq_verification_open",
            ["organisation_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('submitted', 'returned')"),
            postgresql_where=sa.text("state IN ('submitted', 'returned')"),
        )

    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("contact_hint", sa.String(length=60), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("contact_key", sa.String(length=32), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_column("contact_key")
        batch_op.drop_column("contact_hint")

    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_verification_open",
            sqlite_where=sa.text("state IN ('submitted', 'returned')"),
            postgresql_where=sa.text("state IN ('submitted', 'returned')"),
        )
        batch_op.drop_index("ix_verification_state")
        batch_op.drop_index("ix_verification_organisation")

    op.drop_table("verification")
    op.drop_table("organisation_profile")
    with op.batch_alter_table("organisation_former_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_former_code_organisation_id"))

    op.drop_table("organisation_former_code")
    with op.batch_alter_table("joining", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_joining_open",
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )
        batch_op.drop_index("ix_joining_organisation")

    op.drop_table("joining")
    with op.batch_alter_table("roster_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_roster_entry_key",
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )
        batch_op.drop_index("ix_roster_entry_replaced")
        batch_op.drop_index("ix_roster_entry_region")
        batch_op.drop_index("ix_roster_entry_list")
        batch_op.drop_index("ix_roster_entry_import")

    op.drop_table("roster_entry")
