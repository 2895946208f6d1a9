"""Inboxes, mail and SMS."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", RowId, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('waiting', 'failed')) = (next_try_at IS NOT NULL)",
            name=op.f("ck_delivery_next_try"),
        ),
        sa.CheckConstraint("channel IN ('sms', 'mail')", name=op.f("ck_delivery_channel")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_delivery_language")),
        sa.CheckConstraint(
            "state IN ('waiting', 'failed', 'sent', 'given_up')", name=op.f("ck_delivery_state")
        ),
        sa.CheckConstraint(
            "(next_try_at IS NULL) = (ended_at IS NOT NULL)", name=op.f("ck_delivery_ended")
        ),
        sa.CheckConstraint(
            "next_try_at IS NULL OR content IS NOT NULL", name=op.f("ck_delivery_content")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_delivery_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_delivery_key")),
    )
    with op.batch_alter_table("delivery") as batch:
        batch.create_index("ix_delivery_ended", ["ended_at", "state"])
        batch.create_index("ix_delivery_next_try", ["next_try_at"])
        batch.create_index("ix_delivery_person", ["person_id"])

    op.create_table(
        "inbox_message",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("about_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("digest_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_inbox_message_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_message")),
        sa.UniqueConstraint(
            "person_id",
            "kind",
            "about",
            "about_id",
            "event",
            name=op.f("uq_inbox_message_person_id_kind_about_about_id_event"),
        ),
    )
    with op.batch_alter_table("inbox_message") as batch:
        batch.create_index("ix_inbox_message_created", ["created_at"])
        batch.create_index("ix_inbox_message_digest", ["digest_day", "person_id"])
        batch.create_index("ix_inbox_message_unread", ["person_id", "read_at"])

    op.create_table(
        "message_choice",
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(channel = 'digest') = (kind = '')", name=op.f("ck_message_choice_digest")
        ),
        sa.CheckConstraint(
            "channel IN ('sms', 'mail', 'digest')", name=op.f("ck_message_choice_channel")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_message_choice_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", "channel", name=op.f("pk_message_choice")),
    )


def downgrade() -> None:
    for table in ("message_choice", "inbox_message", "delivery"):
        op.drop_table(table)
