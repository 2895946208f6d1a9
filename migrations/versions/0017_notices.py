"""Public notices, objections, announcements."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'draft') = (published_at IS NULL)", name=op.f("ck_announcement_published")
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_reason IS NOT NULL)",
            name=op.f("ck_announcement_withdrawn_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'withdrawn')", name=op.f("ck_announcement_state")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_announcement_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_announcement_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
        sa.UniqueConstraint("no", name=op.f("uq_announcement_no")),
    )
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.create_index("ix_announcement_owner", ["owner_id", "state"], unique=False)
        batch_op.create_index(
            "ix_announcement_region", ["region_id", "state", "published_at"], unique=False
        )
        batch_op.create_index("ix_announcement_state", ["state", "published_at"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=True),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("subject_no", sa.String(length=40), nullable=True),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("by_office", sa.Boolean(), nullable=False),
        sa.Column("content", Document, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("held", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("unit", sa.String(length=10), nullable=True),
        sa.Column("rule", sa.String(length=20), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("channels", Document, nullable=False),
        sa.Column("contact_name", sa.String(length=60), nullable=True),
        sa.Column("contact_telephone", sa.String(length=60), nullable=True),
        sa.Column("contact_address", sa.String(length=300), nullable=True),
        sa.Column("anonymous_ok", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("outcome_text", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("edited_by_id", RowId, nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_reason IS NOT NULL)",
            name=op.f("ck_notice_withdrawn_reason"),
        ),
        sa.CheckConstraint(
            "hash IS NULL OR NOT (state IN ('draft', 'discarded'))", name=op.f("ck_notice_frozen")
        ),
        sa.CheckConstraint("held IN ('here', 'elsewhere')", name=op.f("ck_notice_held")),
        sa.CheckConstraint(
            "kind IN ('price', 'reward', 'challenge_list', 'challenge_result', 'voucher', 'other')",
            name=op.f("ck_notice_kind"),
        ),
        sa.CheckConstraint(
            "outcome IN ('none', 'dismissed', 'upheld')", name=op.f("ck_notice_outcome")
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR state IN ('concluded', 'withdrawn')", name=op.f("ck_notice_ended")
        ),
        sa.CheckConstraint(
            "rule IN ('civil_code', 'first_day_counts')", name=op.f("ck_notice_rule")
        ),
        sa.CheckConstraint(
            "state <> 'concluded' OR outcome IS NOT NULL", name=op.f("ck_notice_concluded")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'discarded') OR (hash IS NOT NULL AND days IS NOT NULL AND unit IS NOT NULL AND rule IS NOT NULL AND start_on IS NOT NULL AND first_on IS NOT NULL AND end_on IS NOT NULL AND ends_at IS NOT NULL AND started_at IS NOT NULL)",
            name=op.f("ck_notice_started"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'running', 'ended', 'concluded', 'withdrawn', 'discarded')",
            name=op.f("ck_notice_state"),
        ),
        sa.CheckConstraint("unit IN ('natural', 'working')", name=op.f("ck_notice_unit")),
        sa.CheckConstraint(
            "(subject_kind IS NULL) = (subject_id IS NULL)", name=op.f("ck_notice_subject")
        ),
        sa.CheckConstraint("days BETWEEN 1 AND 365", name=op.f("ck_notice_days")),
        sa.ForeignKeyConstraint(
            ["edited_by_id"], ["person.id"], name=op.f("fk_notice_edited_by_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["organisation.id"], name=op.f("fk_notice_owner_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_notice_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("no", name=op.f("uq_notice_no")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_owner", ["owner_id", "state", "updated_at"], unique=False)
        batch_op.create_index("ix_notice_region", ["region_id", "state", "ends_at"], unique=False)
        batch_op.create_index("ix_notice_state", ["state", "ends_at"], unique=False)
        batch_op.create_index("ix_notice_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "objection",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("notice_id", RowId, nullable=False),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("contact_shown", sa.String(length=100), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("finding", sa.String(length=12), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("published", sa.Text(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'answered') = (finding IS NOT NULL)", name=op.f("ck_objection_answered")
        ),
        sa.CheckConstraint(
            "finding IN ('upheld', 'not_upheld')", name=op.f("ck_objection_finding")
        ),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_objection_language")),
        sa.CheckConstraint("state IN ('received', 'answered')", name=op.f("ck_objection_state")),
        sa.CheckConstraint(
            "(finding IS NULL) = (answer IS NULL)", name=op.f("ck_objection_answer")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_objection_notice_id")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_objection_owner_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_objection_person_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_objection_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("no", name=op.f("uq_objection_no")),
    )
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.create_index("ix_objection_answered", ["answered_at"], unique=False)
        batch_op.create_index("ix_objection_notice", ["notice_id", "state"], unique=False)
        batch_op.create_index("ix_objection_owner", ["owner_id", "state"], unique=False)
        batch_op.create_index("ix_objection_person", ["person_id"], unique=False)
        batch_op.create_index("ix_objection_region", ["region_id", "state"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.drop_index("ix_objection_region")
        batch_op.drop_index("ix_objection_person")
        batch_op.drop_index("ix_objection_owner")
        batch_op.drop_index("ix_objection_notice")
        batch_op.drop_index("ix_objection_answered")

    op.drop_table("objection")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_subject")
        batch_op.drop_index("ix_notice_state")
        batch_op.drop_index("ix_notice_region")
        batch_op.drop_index("ix_notice_owner")

    op.drop_table("notice")
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.drop_index("ix_announcement_state")
        batch_op.drop_index("ix_announcement_region")
        batch_op.drop_index("ix_announcement_owner")

    op.drop_table("announcement")
