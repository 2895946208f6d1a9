"""Dispatches of demands, escalations, contact officers of firms and their log, usual days."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dispatch_setting",
        sa.Column("region_id", RowId, autoincrement=False, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 60", name=op.f("ck_dispatch_setting_days")),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_dispatch_setting_region_id")
        ),
        sa.PrimaryKeyConstraint("region_id", name=op.f("pk_dispatch_setting")),
    )
    op.create_table(
        "contact_officer",
        sa.Column("id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("next_call", sa.Date(), nullable=True),
        sa.Column("assigned_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_contact_officer_ended")
        ),
        sa.CheckConstraint("state IN ('current', 'ended')", name=op.f("ck_contact_officer_state")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_contact_officer_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_contact_officer_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_contact_officer_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_officer")),
    )
    with op.batch_alter_table("contact_officer", schema=None) as batch_op:
        batch_op.create_index("ix_contact_officer_person", ["person_id", "state"], unique=False)
        batch_op.create_index("ix_contact_officer_region", ["region_id", "state"], unique=False)
        batch_op.create_index(
            "uq_contact_officer_current",
            ["organisation_id"],
            unique=True,
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.create_table(
        "dispatch",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("recipient_id", RowId, nullable=True),
        sa.Column("specialist_id", RowId, nullable=True),
        sa.Column("recipient_person_id", RowId, nullable=True),
        sa.Column("recipient_label", sa.String(length=200), nullable=False),
        sa.Column("sent_by_id", RowId, nullable=True),
        sa.Column("sent_by", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("parts", Document, nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answer_minutes", sa.Integer(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answered_by", sa.String(length=200), nullable=True),
        sa.Column("recorded_by", sa.String(length=200), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("contact_shown", sa.String(length=100), nullable=True),
        sa.Column("referral_id", RowId, nullable=True),
        sa.Column("referral", sa.String(length=200), nullable=True),
        sa.Column("next_call", sa.Date(), nullable=True),
        sa.Column("last_word", sa.String(length=200), nullable=True),
        sa.Column("last_word_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("outcome_text", sa.Text(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (outcome IS NOT NULL)",
            name=op.f("ck_dispatch_closed_with_outcome"),
        ),
        sa.CheckConstraint("outcome IN ('matched', 'failed')", name=op.f("ck_dispatch_outcome")),
        sa.CheckConstraint(
            "state <> 'referred' OR referral_id IS NOT NULL OR referral IS NOT NULL",
            name=op.f("ck_dispatch_referral"),
        ),
        sa.CheckConstraint(
            "state IN ('sent', 'interested', 'declined', 'referred', 'talking', 'no_answer', 'closed', 'withdrawn')",
            name=op.f("ck_dispatch_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('interested', 'declined', 'referred', 'talking') OR answered_at IS NOT NULL",
            name=op.f("ck_dispatch_state_with_answer"),
        ),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_on IS NULL)", name=op.f("ck_dispatch_answered")
        ),
        sa.CheckConstraint(
            "(recipient_id IS NULL) <> (specialist_id IS NULL)",
            name=op.f("ck_dispatch_one_recipient"),
        ),
        sa.CheckConstraint("(score IS NULL) = (parts IS NULL)", name=op.f("ck_dispatch_parts")),
        sa.CheckConstraint("days BETWEEN 1 AND 60", name=op.f("ck_dispatch_days")),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_dispatch_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["organisation.id"], name=op.f("fk_dispatch_recipient_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_person_id"], ["person.id"], name=op.f("fk_dispatch_recipient_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["organisation.id"], name=op.f("fk_dispatch_referral_id")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_dispatch_region_id")),
        sa.ForeignKeyConstraint(["sent_by_id"], ["person.id"], name=op.f("fk_dispatch_sent_by_id")),
        sa.ForeignKeyConstraint(
            ["specialist_id"], ["specialist.id"], name=op.f("fk_dispatch_specialist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
        sa.UniqueConstraint("no", name=op.f("uq_dispatch_no")),
    )
    with op.batch_alter_table("dispatch", schema=None) as batch_op:
        batch_op.create_index("ix_dispatch_contact", ["updated_at"], unique=False)
        batch_op.create_index("ix_dispatch_due", ["state", "reminded_at", "due"], unique=False)
        batch_op.create_index("ix_dispatch_listing", ["listing_id", "id"], unique=False)
        batch_op.create_index("ix_dispatch_person", ["recipient_person_id", "state"], unique=False)
        batch_op.create_index("ix_dispatch_recipient", ["recipient_id", "state"], unique=False)
        batch_op.create_index("ix_dispatch_referral", ["referral_id"], unique=False)
        batch_op.create_index("ix_dispatch_region", ["region_id", "state", "id"], unique=False)
        batch_op.create_index("ix_dispatch_specialist", ["specialist_id", "state"], unique=False)
        batch_op.create_index(
            "uq_dispatch_open",
            ["listing_id", "recipient_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('sent', 'interested', 'talking')"),
            postgresql_where=sa.text("state IN ('sent', 'interested', 'talking')"),
        )
        batch_op.create_index(
            "uq_dispatch_open_specialist",
            ["listing_id", "specialist_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('sent', 'interested', 'talking')"),
            postgresql_where=sa.text("state IN ('sent', 'interested', 'talking')"),
        )

    op.create_table(
        "dispatch_escalation",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("listing_id", RowId, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("from_region_id", RowId, nullable=False),
        sa.Column("asked_by_id", RowId, nullable=True),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'answered') = (answer IS NOT NULL)",
            name=op.f("ck_dispatch_escalation_answer"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'withdrawn')", name=op.f("ck_dispatch_escalation_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["person.id"], name=op.f("fk_dispatch_escalation_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_region_id"], ["region.id"], name=op.f("fk_dispatch_escalation_from_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_dispatch_escalation_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_dispatch_escalation_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_escalation")),
        sa.UniqueConstraint("no", name=op.f("uq_dispatch_escalation_no")),
    )
    with op.batch_alter_table("dispatch_escalation", schema=None) as batch_op:
        batch_op.create_index("ix_dispatch_escalation_from", ["from_region_id"], unique=False)
        batch_op.create_index("ix_dispatch_escalation_listing", ["listing_id", "id"], unique=False)
        batch_op.create_index("ix_dispatch_escalation_region", ["region_id", "state"], unique=False)
        batch_op.create_index(
            "uq_dispatch_escalation_open",
            ["listing_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "contact_log",
        sa.Column("id", RowId, nullable=False),
        sa.Column("dispatch_id", RowId, nullable=True),
        sa.Column("organisation_id", RowId, nullable=True),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("person_shown", sa.String(length=100), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("next_call", sa.Date(), nullable=True),
        sa.Column("by_id", RowId, nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('call', 'message', 'visit', 'note')", name=op.f("ck_contact_log_kind")
        ),
        sa.CheckConstraint(
            "dispatch_id IS NOT NULL OR organisation_id IS NOT NULL",
            name=op.f("ck_contact_log_about"),
        ),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_contact_log_by_id")),
        sa.ForeignKeyConstraint(
            ["dispatch_id"], ["dispatch.id"], name=op.f("fk_contact_log_dispatch_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_contact_log_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_contact_log_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_log")),
    )
    with op.batch_alter_table("contact_log", schema=None) as batch_op:
        batch_op.create_index("ix_contact_log_at", ["at"], unique=False)
        batch_op.create_index("ix_contact_log_dispatch", ["dispatch_id", "id"], unique=False)
        batch_op.create_index(
            "ix_contact_log_organisation", ["organisation_id", "id"], unique=False
        )
        batch_op.create_index("ix_contact_log_region", ["region_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("contact_log", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_log_region")
        batch_op.drop_index("ix_contact_log_organisation")
        batch_op.drop_index("ix_contact_log_dispatch")
        batch_op.drop_index("ix_contact_log_at")

    op.drop_table("contact_log")
    with op.batch_alter_table("dispatch_escalation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_dispatch_escalation_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_dispatch_escalation_region")
        batch_op.drop_index("ix_dispatch_escalation_listing")
        batch_op.drop_index("ix_dispatch_escalation_from")

    op.drop_table("dispatch_escalation")
    with op.batch_alter_table("dispatch", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_dispatch_open_specialist",
            sqlite_where=sa.text("state IN ('sent', 'interested', 'talking')"),
            postgresql_where=sa.text("state IN ('sent', 'interested', 'talking')"),
        )
        batch_op.drop_index(
            "uq_dispatch_open",
            sqlite_where=sa.text("state IN ('sent', 'interested', 'talking')"),
            postgresql_where=sa.text("state IN ('sent', 'interested', 'talking')"),
        )
        batch_op.drop_index("ix_dispatch_specialist")
        batch_op.drop_index("ix_dispatch_region")
        batch_op.drop_index("ix_dispatch_referral")
        batch_op.drop_index("ix_dispatch_recipient")
        batch_op.drop_index("ix_dispatch_person")
        batch_op.drop_index("ix_dispatch_listing")
        batch_op.drop_index("ix_dispatch_due")
        batch_op.drop_index("ix_dispatch_contact")

    op.drop_table("dispatch")
    with op.batch_alter_table("contact_officer", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_contact_officer_current",
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )
        batch_op.drop_index("ix_contact_officer_region")
        batch_op.drop_index("ix_contact_officer_person")

    op.drop_table("contact_officer")
    op.drop_table("dispatch_setting")
