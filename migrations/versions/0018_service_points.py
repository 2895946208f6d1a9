"""The directory: admissions of organisations, their powers, areas and staff; specialists."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "admission",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("parent_id", RowId, nullable=True),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("hours", sa.String(length=100), nullable=True),
        sa.Column("telephone", sa.String(length=60), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("mode", sa.String(length=10), nullable=True),
        sa.Column("amount_base", sa.String(length=20), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("amount_meaning", sa.String(length=200), nullable=True),
        sa.Column("folded", sa.String(length=600), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'registration_body') = (mode IS NOT NULL)",
            name=op.f("ck_admission_mode_of_body"),
        ),
        sa.CheckConstraint(
            "(state = 'active') = (reason IS NULL)", name=op.f("ck_admission_reason")
        ),
        sa.CheckConstraint(
            "amount_base IN ('total_value', 'technical_value', 'unknown')",
            name=op.f("ck_admission_amount_base"),
        ),
        sa.CheckConstraint(
            "amount_fen IS NULL OR (kind = 'registration_body' AND amount_fen > 0)",
            name=op.f("ck_admission_amount_of_body"),
        ),
        sa.CheckConstraint(
            "kind <> 'service_point' OR parent_id IS NOT NULL",
            name=op.f("ck_admission_point_has_parent"),
        ),
        sa.CheckConstraint(
            "kind IN ('registration_body', 'service_point', 'transfer_institution', 'voucher_provider', 'productivity_centre', 'expert_yard', 'station', 'demonstration_site')",
            name=op.f("ck_admission_kind"),
        ),
        sa.CheckConstraint("mode IN ('external', 'own')", name=op.f("ck_admission_mode")),
        sa.CheckConstraint(
            "parent_id IS NULL OR kind IN ('registration_body', 'service_point')",
            name=op.f("ck_admission_parent_of_registering"),
        ),
        sa.CheckConstraint(
            "state IN ('active', 'suspended', 'ended')", name=op.f("ck_admission_state")
        ),
        sa.CheckConstraint(
            "(amount_fen IS NULL) = (amount_base IS NULL)", name=op.f("ck_admission_amount_whole")
        ),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_admission_location_whole")
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_admission_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f("ck_admission_longitude")),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_admission_period")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_admission_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["admission.id"], name=op.f("fk_admission_parent_id")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_admission_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission")),
        sa.UniqueConstraint("id", "kind", name=op.f("uq_admission_id_kind")),
        sa.UniqueConstraint("no", name=op.f("uq_admission_no")),
    )
    with op.batch_alter_table("admission", schema=None) as batch_op:
        batch_op.create_index("ix_admission_kind", ["kind", "state", "id"], unique=False)
        batch_op.create_index("ix_admission_parent", ["parent_id"], unique=False)
        batch_op.create_index("ix_admission_region", ["region_id", "kind", "state"], unique=False)
        batch_op.create_index(
            "uq_admission_once",
            ["organisation_id", "kind", "region_id", "valid_from"],
            unique=True,
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )

    op.create_table(
        "specialist",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("folded_name", sa.String(length=60), nullable=False),
        sa.Column("organisation_id", RowId, nullable=True),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("grade", sa.String(length=10), nullable=True),
        sa.Column("rank", sa.String(length=100), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certificate_key", sa.String(length=32), nullable=True),
        sa.Column("issuer", sa.String(length=200), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("intro", sa.Text(), nullable=True),
        sa.Column("consented_on", sa.Date(), nullable=True),
        sa.Column("consent_how", sa.String(length=200), nullable=True),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "grade IN ('junior', 'middle', 'senior')", name=op.f("ck_specialist_grade")
        ),
        sa.CheckConstraint(
            "kind = 'broker' OR grade IS NULL", name=op.f("ck_specialist_grade_of_broker")
        ),
        sa.CheckConstraint("kind IN ('broker', 'expert')", name=op.f("ck_specialist_kind")),
        sa.CheckConstraint(
            "(consented_on IS NULL) = (consent_how IS NULL)", name=op.f("ck_specialist_consent")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_specialist_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_specialist_person_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_specialist_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specialist")),
        sa.UniqueConstraint("no", name=op.f("uq_specialist_no")),
    )
    with op.batch_alter_table("specialist", schema=None) as batch_op:
        batch_op.create_index("ix_specialist_name", ["folded_name", "kind"], unique=False)
        batch_op.create_index("ix_specialist_organisation", ["organisation_id"], unique=False)
        batch_op.create_index("ix_specialist_person", ["person_id"], unique=False)
        batch_op.create_index("ix_specialist_region", ["region_id", "kind"], unique=False)
        batch_op.create_index(
            "uq_specialist_certificate",
            ["certificate_key"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "admission_area",
        sa.Column("admission_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["admission_id"], ["admission.id"], name=op.f("fk_admission_area_admission_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_admission_area_region_id")
        ),
        sa.PrimaryKeyConstraint("admission_id", "region_id", name=op.f("pk_admission_area")),
    )
    with op.batch_alter_table("admission_area", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_admission_area_region_id"), ["region_id"], unique=False
        )

    op.create_table(
        "admission_power",
        sa.Column("admission_id", RowId, autoincrement=False, nullable=False),
        sa.Column("power", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.CheckConstraint(
            "(kind = 'registration_body' AND power IN ('accept', 'examine', 'register', 'certify')) OR (kind = 'service_point' AND power IN ('help', 'pre_check', 'collect', 'hand_in'))",
            name=op.f("ck_admission_power_power"),
        ),
        sa.ForeignKeyConstraint(
            ["admission_id", "kind"],
            ["admission.id", "admission.kind"],
            name=op.f("fk_admission_power_admission_id_kind"),
        ),
        sa.PrimaryKeyConstraint("admission_id", "power", name=op.f("pk_admission_power")),
    )
    op.create_table(
        "admission_staff",
        sa.Column("id", RowId, nullable=False),
        sa.Column("admission_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("name", sa.String(length=60), nullable=True),
        sa.Column("duty", sa.String(length=100), nullable=False),
        sa.Column("certificate", sa.String(length=100), nullable=True),
        sa.Column("trained_on", sa.Date(), nullable=True),
        sa.Column("ab_role", sa.String(length=1), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ab_role IN ('a', 'b')", name=op.f("ck_admission_staff_ab_role")),
        sa.CheckConstraint(
            "name IS NOT NULL OR person_id IS NOT NULL", name=op.f("ck_admission_staff_named")
        ),
        sa.ForeignKeyConstraint(
            ["admission_id"], ["admission.id"], name=op.f("fk_admission_staff_admission_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_admission_staff_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission_staff")),
    )
    with op.batch_alter_table("admission_staff", schema=None) as batch_op:
        batch_op.create_index("ix_admission_staff_admission", ["admission_id"], unique=False)
        batch_op.create_index("ix_admission_staff_person", ["person_id"], unique=False)

    op.create_table(
        "admission_topic",
        sa.Column("admission_id", RowId, nullable=False),
        sa.Column("sort", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=60), nullable=False),
        sa.CheckConstraint("sort IN ('field', 'industry')", name=op.f("ck_admission_topic_sort")),
        sa.ForeignKeyConstraint(
            ["admission_id"], ["admission.id"], name=op.f("fk_admission_topic_admission_id")
        ),
        sa.PrimaryKeyConstraint("admission_id", "sort", "value", name=op.f("pk_admission_topic")),
    )
    with op.batch_alter_table("admission_topic", schema=None) as batch_op:
        batch_op.create_index("ix_admission_topic_value", ["sort", "value"], unique=False)

    op.create_table(
        "admission_unit",
        sa.Column("admission_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["admission_id"], ["admission.id"], name=op.f("fk_admission_unit_admission_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_admission_unit_organisation_id")
        ),
        sa.PrimaryKeyConstraint("admission_id", "organisation_id", name=op.f("pk_admission_unit")),
    )
    with op.batch_alter_table("admission_unit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_admission_unit_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "specialist_topic",
        sa.Column("specialist_id", RowId, nullable=False),
        sa.Column("sort", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=60), nullable=False),
        sa.CheckConstraint("sort IN ('field', 'industry')", name=op.f("ck_specialist_topic_sort")),
        sa.ForeignKeyConstraint(
            ["specialist_id"], ["specialist.id"], name=op.f("fk_specialist_topic_specialist_id")
        ),
        sa.PrimaryKeyConstraint("specialist_id", "sort", "value", name=op.f("pk_specialist_topic")),
    )
    with op.batch_alter_table("specialist_topic", schema=None) as batch_op:
        batch_op.create_index("ix_specialist_topic_value", ["sort", "value"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("specialist_topic", schema=None) as batch_op:
        batch_op.drop_index("ix_specialist_topic_value")

    op.drop_table("specialist_topic")
    with op.batch_alter_table("admission_unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_admission_unit_organisation_id"))

    op.drop_table("admission_unit")
    with op.batch_alter_table("admission_topic", schema=None) as batch_op:
        batch_op.drop_index("ix_admission_topic_value")

    op.drop_table("admission_topic")
    with op.batch_alter_table("admission_staff", schema=None) as batch_op:
        batch_op.drop_index("ix_admission_staff_person")
        batch_op.drop_index("ix_admission_staff_admission")

    op.drop_table("admission_staff")
    op.drop_table("admission_power")
    with op.batch_alter_table("admission_area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_admission_area_region_id"))

    op.drop_table("admission_area")
    with op.batch_alter_table("specialist", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_specialist_certificate",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index("ix_specialist_region")
        batch_op.drop_index("ix_specialist_person")
        batch_op.drop_index("ix_specialist_organisation")
        batch_op.drop_index("ix_specialist_name")

    op.drop_table("specialist")
    with op.batch_alter_table("admission", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_admission_once",
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )
        batch_op.drop_index("ix_admission_region")
        batch_op.drop_index("ix_admission_parent")
        batch_op.drop_index("ix_admission_kind")

    op.drop_table("admission")
