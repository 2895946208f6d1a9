"""Voucher money: the ledger, schemes, applications, vouchers, orders, claims, batches."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("ledger_entry", "ledger_line")


def _refuse_changes() -> None:
    """Entries and lines are added, never changed or deleted, whoever asks the database."""
    if op.get_bind().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )


def upgrade() -> None:

    op.create_table(
        "ledger_entry",
        sa.Column("id", RowId, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("reverses_id", RowId, nullable=True),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'reverse') = (reverses_id IS NOT NULL)", name=op.f("ck_ledger_entry_reverses")
        ),
        sa.CheckConstraint(
            "kind IN ('budget', 'cut', 'reserve', 'release', 'approve', 'pay', 'bounce', 'recover', 'reverse')",
            name=op.f("ck_ledger_entry_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["ledger_entry.id"], name=op.f("fk_ledger_entry_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_entry_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_entry_reverses_id")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_entry_subject", ["subject_kind", "subject_id", "id"], unique=False
        )

    op.create_table(
        "voucher_scheme",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'live', 'closed')", name=op.f("ck_voucher_scheme_state")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_scheme_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_scheme")),
        sa.UniqueConstraint("no", name=op.f("uq_voucher_scheme_no")),
    )
    with op.batch_alter_table("voucher_scheme", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_scheme_region", ["region_id", "state"], unique=False)

    op.create_table(
        "ledger_account",
        sa.Column("id", RowId, nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind = 'funding' OR balance_fen >= 0", name=op.f("ck_ledger_account_balance")
        ),
        sa.CheckConstraint(
            "kind IN ('funding', 'available', 'reserved', 'approved', 'paid', 'recovered')",
            name=op.f("ck_ledger_account_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_ledger_account_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_ledger_account_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(
            "scheme_id",
            "year",
            "region_id",
            "kind",
            name=op.f("uq_ledger_account_scheme_id_year_region_id_kind"),
        ),
    )
    with op.batch_alter_table("ledger_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_account_region_id"), ["region_id"], unique=False
        )

    op.create_table(
        "voucher_batch",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("meeting_no", sa.String(length=60), nullable=True),
        sa.Column("meeting_on", sa.Date(), nullable=True),
        sa.Column("fund_no", sa.String(length=60), nullable=True),
        sa.Column("fund_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'countersigned', 'sent', 'closed', 'discarded')",
            name=op.f("ck_voucher_batch_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('countersigned', 'sent', 'closed') OR (meeting_no IS NOT NULL AND meeting_on IS NOT NULL AND fund_no IS NOT NULL AND fund_on IS NOT NULL)",
            name=op.f("ck_voucher_batch_decided"),
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_batch_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_batch_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_batch")),
        sa.UniqueConstraint("no", name=op.f("uq_voucher_batch_no")),
    )
    with op.batch_alter_table("voucher_batch", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_batch_region", ["region_id", "state"], unique=False)
        batch_op.create_index("ix_voucher_batch_scheme", ["scheme_id", "id"], unique=False)

    op.create_table(
        "voucher_cap_use",
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_fen", sa.BigInteger(), nullable=False),
        sa.Column("claimed_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("claimed_fen >= 0", name=op.f("ck_voucher_cap_use_claimed")),
        sa.CheckConstraint("held_fen >= 0", name=op.f("ck_voucher_cap_use_held")),
        sa.CheckConstraint("issued_fen >= 0", name=op.f("ck_voucher_cap_use_issued")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_voucher_cap_use_organisation_id"),
        ),
        sa.PrimaryKeyConstraint(
            "scope", "organisation_id", "year", name=op.f("pk_voucher_cap_use")
        ),
    )
    with op.batch_alter_table("voucher_cap_use", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_voucher_cap_use_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "voucher_hold",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("object_id", RowId, autoincrement=False, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('voucher', 'order', 'claim')", name=op.f("ck_voucher_hold_kind")
        ),
        sa.CheckConstraint("fen >= 0", name=op.f("ck_voucher_hold_fen")),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_hold_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_hold_scheme_id")
        ),
        sa.PrimaryKeyConstraint("kind", "object_id", "region_id", name=op.f("pk_voucher_hold")),
    )
    op.create_table(
        "voucher_party",
        sa.Column("id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("shown", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('legal_person', 'controller', 'shareholder', 'telephone', 'address', 'account', 'branch', 'co_built')",
            name=op.f("ck_voucher_party_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_voucher_party_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_party")),
        sa.UniqueConstraint(
            "organisation_id", "kind", "key", name=op.f("uq_voucher_party_organisation_id_kind_key")
        ),
    )
    with op.batch_alter_table("voucher_party", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_party_key", ["key", "kind"], unique=False)

    op.create_table(
        "voucher_scheme_version",
        sa.Column("id", RowId, nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", Document, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("edited_by_id", RowId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'draft') = (published_at IS NULL)",
            name=op.f("ck_voucher_scheme_version_published"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'live', 'replaced')", name=op.f("ck_voucher_scheme_version_state")
        ),
        sa.ForeignKeyConstraint(
            ["edited_by_id"], ["person.id"], name=op.f("fk_voucher_scheme_version_edited_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_scheme_version_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_scheme_version")),
        sa.UniqueConstraint(
            "scheme_id", "version", name=op.f("uq_voucher_scheme_version_scheme_id_version")
        ),
    )
    op.create_table(
        "ledger_line",
        sa.Column("id", RowId, nullable=False),
        sa.Column("entry_id", RowId, nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_line_amount")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_line_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entry.id"], name=op.f("fk_ledger_line_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_line")),
        sa.UniqueConstraint(
            "entry_id", "account_id", name=op.f("uq_ledger_line_entry_id_account_id")
        ),
    )
    with op.batch_alter_table("ledger_line", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_line_account", ["account_id", "entry_id"], unique=False)

    op.create_table(
        "voucher_application",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("version_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("asked_fen", sa.BigInteger(), nullable=False),
        sa.Column("granted_fen", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.String(length=300), nullable=True),
        sa.Column("facts", Document, nullable=False),
        sa.Column("outcome", Document, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'granted') = (granted_fen IS NOT NULL)",
            name=op.f("ck_voucher_application_granted"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'granted', 'refused', 'withdrawn')",
            name=op.f("ck_voucher_application_state"),
        ),
        sa.CheckConstraint("asked_fen > 0", name=op.f("ck_voucher_application_asked")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_voucher_application_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_application_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_application_scheme_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["voucher_scheme_version.id"],
            name=op.f("fk_voucher_application_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_application")),
        sa.UniqueConstraint("no", name=op.f("uq_voucher_application_no")),
    )
    with op.batch_alter_table("voucher_application", schema=None) as batch_op:
        batch_op.create_index(
            "ix_voucher_application_organisation", ["organisation_id", "id"], unique=False
        )
        batch_op.create_index("ix_voucher_application_region", ["region_id", "state"], unique=False)
        batch_op.create_index(
            "ix_voucher_application_scheme", ["scheme_id", "state", "id"], unique=False
        )

    op.create_table(
        "voucher",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=30), nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("version_id", RowId, nullable=False),
        sa.Column("application_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('issued', 'used', 'redeemed', 'expired', 'released', 'frozen')",
            name=op.f("ck_voucher_state"),
        ),
        sa.CheckConstraint(
            "face_fen > 0 AND held_fen + spent_fen <= face_fen", name=op.f("ck_voucher_face")
        ),
        sa.CheckConstraint("held_fen >= 0 AND spent_fen >= 0", name=op.f("ck_voucher_parts")),
        sa.ForeignKeyConstraint(
            ["application_id"], ["voucher_application.id"], name=op.f("fk_voucher_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_voucher_organisation_id")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_voucher_region_id")),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_scheme_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["voucher_scheme_version.id"], name=op.f("fk_voucher_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("no", name=op.f("uq_voucher_no")),
    )
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_application", ["application_id"], unique=False)
        batch_op.create_index("ix_voucher_ends", ["state", "ends_on"], unique=False)
        batch_op.create_index("ix_voucher_organisation", ["organisation_id", "state"], unique=False)
        batch_op.create_index("ix_voucher_region", ["region_id"], unique=False)
        batch_op.create_index("ix_voucher_scheme", ["scheme_id", "state", "ends_on"], unique=False)

    op.create_table(
        "voucher_order",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("version_id", RowId, nullable=False),
        sa.Column("voucher_id", RowId, nullable=True),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("provider_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("voucher_fen", sa.BigInteger(), nullable=False),
        sa.Column("contract_no", sa.String(length=100), nullable=True),
        sa.Column("service_from", sa.Date(), nullable=True),
        sa.Column("service_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('placed', 'confirmed', 'delivered', 'accepted', 'refused', 'cancelled')",
            name=op.f("ck_voucher_order_state"),
        ),
        sa.CheckConstraint("organisation_id <> provider_id", name=op.f("ck_voucher_order_sides")),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_voucher_order_price")),
        sa.CheckConstraint(
            "service_from IS NULL OR service_to IS NULL OR service_from <= service_to",
            name=op.f("ck_voucher_order_period"),
        ),
        sa.CheckConstraint(
            "voucher_fen >= 0 AND voucher_fen <= price_fen", name=op.f("ck_voucher_order_voucher")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_voucher_order_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["organisation.id"], name=op.f("fk_voucher_order_provider_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_order_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_order_scheme_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["voucher_scheme_version.id"], name=op.f("fk_voucher_order_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_order_voucher_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_order")),
        sa.UniqueConstraint("no", name=op.f("uq_voucher_order_no")),
    )
    with op.batch_alter_table("voucher_order", schema=None) as batch_op:
        batch_op.create_index(
            "ix_voucher_order_organisation", ["organisation_id", "state"], unique=False
        )
        batch_op.create_index("ix_voucher_order_provider", ["provider_id", "state"], unique=False)
        batch_op.create_index("ix_voucher_order_region", ["region_id"], unique=False)
        batch_op.create_index("ix_voucher_order_scheme", ["scheme_id", "state"], unique=False)
        batch_op.create_index("ix_voucher_order_voucher", ["voucher_id"], unique=False)

    op.create_table(
        "voucher_claim",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("scheme_id", RowId, nullable=False),
        sa.Column("version_id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("provider_id", RowId, nullable=True),
        sa.Column("claimant_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("order_id", RowId, nullable=True),
        sa.Column("voucher_id", RowId, nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("items", Document, nullable=False),
        sa.Column("evidence", Document, nullable=False),
        sa.Column("facts", Document, nullable=False),
        sa.Column("decided", Document, nullable=False),
        sa.Column("outcome", Document, nullable=True),
        sa.Column("findings", Document, nullable=False),
        sa.Column("asked_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("voucher_fen", sa.BigInteger(), nullable=False),
        sa.Column("contract_no", sa.String(length=100), nullable=True),
        sa.Column("contract_key", sa.String(length=100), nullable=True),
        sa.Column("service_from", sa.Date(), nullable=True),
        sa.Column("service_to", sa.Date(), nullable=True),
        sa.Column("bank", sa.Text(), nullable=True),
        sa.Column("bank_key", sa.String(length=32), nullable=True),
        sa.Column("bank_shown", sa.String(length=200), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("entered_by_id", RowId, nullable=True),
        sa.Column("drawn", sa.Boolean(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("check_words", sa.String(length=1000), nullable=True),
        sa.Column("notice_no", sa.String(length=20), nullable=True),
        sa.Column("batch_id", RowId, nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('claim', 'award')", name=op.f("ck_voucher_claim_kind")),
        sa.CheckConstraint(
            "state <> 'batched' OR batch_id IS NOT NULL", name=op.f("ck_voucher_claim_batched")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'reviewed', 'notice', 'payable', 'batched', 'paid', 'bounced', 'refused', 'withdrawn', 'recovered')",
            name=op.f("ck_voucher_claim_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('reviewed', 'notice', 'payable', 'batched', 'paid', 'bounced', 'recovered') OR amount_fen IS NOT NULL",
            name=op.f("ck_voucher_claim_approved"),
        ),
        sa.CheckConstraint(
            "amount_fen IS NULL OR amount_fen > 0", name=op.f("ck_voucher_claim_amount")
        ),
        sa.CheckConstraint("asked_fen > 0", name=op.f("ck_voucher_claim_asked")),
        sa.CheckConstraint("voucher_fen >= 0", name=op.f("ck_voucher_claim_voucher")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["voucher_batch.id"], name=op.f("fk_voucher_claim_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["claimant_id"], ["organisation.id"], name=op.f("fk_voucher_claim_claimant_id")
        ),
        sa.ForeignKeyConstraint(
            ["entered_by_id"], ["person.id"], name=op.f("fk_voucher_claim_entered_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["voucher_order.id"], name=op.f("fk_voucher_claim_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_voucher_claim_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["organisation.id"], name=op.f("fk_voucher_claim_provider_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_claim_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["voucher_scheme.id"], name=op.f("fk_voucher_claim_scheme_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["voucher_scheme_version.id"], name=op.f("fk_voucher_claim_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_claim_voucher_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_claim")),
        sa.UniqueConstraint("no", name=op.f("uq_voucher_claim_no")),
    )
    with op.batch_alter_table("voucher_claim", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_claim_bank", ["bank_key"], unique=False)
        batch_op.create_index("ix_voucher_claim_batch", ["batch_id"], unique=False)
        batch_op.create_index("ix_voucher_claim_claimant", ["claimant_id", "id"], unique=False)
        batch_op.create_index("ix_voucher_claim_contract", ["contract_key"], unique=False)
        batch_op.create_index("ix_voucher_claim_firm", ["organisation_id", "year"], unique=False)
        batch_op.create_index("ix_voucher_claim_provider", ["provider_id", "year"], unique=False)
        batch_op.create_index("ix_voucher_claim_region", ["region_id", "state"], unique=False)
        batch_op.create_index("ix_voucher_claim_scheme", ["scheme_id", "state", "id"], unique=False)
        batch_op.create_index("ix_voucher_claim_voucher", ["voucher_id"], unique=False)
        batch_op.create_index(
            "uq_voucher_claim_order",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text(
                "state IN ('submitted', 'returned', 'reviewed', 'notice', 'payable', 'batched', 'bounced', 'paid')"
            ),
            postgresql_where=sa.text(
                "state IN ('submitted', 'returned', 'reviewed', 'notice', 'payable', 'batched', 'bounced', 'paid')"
            ),
        )

    op.create_table(
        "voucher_bar",
        sa.Column("id", RowId, nullable=False),
        sa.Column("organisation_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("claim_id", RowId, nullable=True),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("begins_on <= ends_on", name=op.f("ck_voucher_bar_period")),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["voucher_claim.id"], name=op.f("fk_voucher_bar_claim_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_voucher_bar_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_bar_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_bar")),
    )
    with op.batch_alter_table("voucher_bar", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_bar_claim_id"), ["claim_id"], unique=False)
        batch_op.create_index(
            "ix_voucher_bar_organisation", ["organisation_id", "ends_on"], unique=False
        )
        batch_op.create_index("ix_voucher_bar_region", ["region_id"], unique=False)

    op.create_table(
        "voucher_invoice",
        sa.Column("id", RowId, nullable=False),
        sa.Column("claim_id", RowId, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("again", sa.String(length=10), nullable=True),
        sa.Column("again_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "again IN ('valid', 'red', 'void', 'unknown')", name=op.f("ck_voucher_invoice_again")
        ),
        sa.CheckConstraint(
            "result IN ('valid', 'red', 'void', 'unknown')", name=op.f("ck_voucher_invoice_result")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_voucher_invoice_amount")),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["voucher_claim.id"], name=op.f("fk_voucher_invoice_claim_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_invoice")),
    )
    with op.batch_alter_table("voucher_invoice", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_invoice_claim", ["claim_id"], unique=False)
        batch_op.create_index("ix_voucher_invoice_key", ["key"], unique=False)
        batch_op.create_index(
            "uq_voucher_invoice_active",
            ["key"],
            unique=True,
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )

    op.create_table(
        "voucher_payment",
        sa.Column("id", RowId, nullable=False),
        sa.Column("claim_id", RowId, nullable=False),
        sa.Column("batch_id", RowId, nullable=False),
        sa.Column("region_id", RowId, nullable=False),
        sa.Column("treasury_no", sa.String(length=60), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('paid', 'bounced', 'recovered')", name=op.f("ck_voucher_payment_state")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_voucher_payment_amount")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["voucher_batch.id"], name=op.f("fk_voucher_payment_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["voucher_claim.id"], name=op.f("fk_voucher_payment_claim_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_voucher_payment_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_payment")),
        sa.UniqueConstraint(
            "region_id", "treasury_no", name=op.f("uq_voucher_payment_region_id_treasury_no")
        ),
    )
    with op.batch_alter_table("voucher_payment", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_payment_batch", ["batch_id"], unique=False)
        batch_op.create_index(
            "uq_voucher_payment_paid",
            ["claim_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'bounced'"),
            postgresql_where=sa.text("state <> 'bounced'"),
        )

    op.create_table(
        "voucher_review",
        sa.Column("id", RowId, nullable=False),
        sa.Column("claim_id", RowId, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("reasons", Document, nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('pass', 'return', 'refuse')", name=op.f("ck_voucher_review_decision")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["voucher_claim.id"], name=op.f("fk_voucher_review_claim_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_voucher_review_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_review")),
    )
    with op.batch_alter_table("voucher_review", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_review_claim", ["claim_id", "id"], unique=False)
        batch_op.create_index("ix_voucher_review_person", ["person_id"], unique=False)
    _refuse_changes()


def downgrade() -> None:

    with op.batch_alter_table("voucher_review", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_review_person")
        batch_op.drop_index("ix_voucher_review_claim")

    op.drop_table("voucher_review")
    with op.batch_alter_table("voucher_payment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_voucher_payment_paid",
            sqlite_where=sa.text("state <> 'bounced'"),
            postgresql_where=sa.text("state <> 'bounced'"),
        )
        batch_op.drop_index("ix_voucher_payment_batch")

    op.drop_table("voucher_payment")
    with op.batch_alter_table("voucher_invoice", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_voucher_invoice_active",
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )
        batch_op.drop_index("ix_voucher_invoice_key")
        batch_op.drop_index("ix_voucher_invoice_claim")

    op.drop_table("voucher_invoice")
    with op.batch_alter_table("voucher_bar", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_bar_region")
        batch_op.drop_index("ix_voucher_bar_organisation")
        batch_op.drop_index(batch_op.f("ix_voucher_bar_claim_id"))

    op.drop_table("voucher_bar")
    with op.batch_alter_table("voucher_claim", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_voucher_claim_order",
            sqlite_where=sa.text(
                "state IN ('submitted', 'returned', 'reviewed', 'notice', 'payable', 'batched', 'bounced', 'paid')"
            ),
            postgresql_where=sa.text(
                "state IN ('submitted', 'returned', 'reviewed', 'notice', 'payable', 'batched', 'bounced', 'paid')"
            ),
        )
        batch_op.drop_index("ix_voucher_claim_voucher")
        batch_op.drop_index("ix_voucher_claim_scheme")
        batch_op.drop_index("ix_voucher_claim_region")
        batch_op.drop_index("ix_voucher_claim_provider")
        batch_op.drop_index("ix_voucher_claim_firm")
        batch_op.drop_index("ix_voucher_claim_contract")
        batch_op.drop_index("ix_voucher_claim_claimant")
        batch_op.drop_index("ix_voucher_claim_batch")
        batch_op.drop_index("ix_voucher_claim_bank")

    op.drop_table("voucher_claim")
    with op.batch_alter_table("voucher_order", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_order_voucher")
        batch_op.drop_index("ix_voucher_order_scheme")
        batch_op.drop_index("ix_voucher_order_region")
        batch_op.drop_index("ix_voucher_order_provider")
        batch_op.drop_index("ix_voucher_order_organisation")

    op.drop_table("voucher_order")
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_scheme")
        batch_op.drop_index("ix_voucher_region")
        batch_op.drop_index("ix_voucher_organisation")
        batch_op.drop_index("ix_voucher_ends")
        batch_op.drop_index("ix_voucher_application")

    op.drop_table("voucher")
    with op.batch_alter_table("voucher_application", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_application_scheme")
        batch_op.drop_index("ix_voucher_application_region")
        batch_op.drop_index("ix_voucher_application_organisation")

    op.drop_table("voucher_application")
    with op.batch_alter_table("ledger_line", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_line_account")

    op.drop_table("ledger_line")
    op.drop_table("voucher_scheme_version")
    with op.batch_alter_table("voucher_party", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_party_key")

    op.drop_table("voucher_party")
    op.drop_table("voucher_hold")
    with op.batch_alter_table("voucher_cap_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_voucher_cap_use_organisation_id"))

    op.drop_table("voucher_cap_use")
    with op.batch_alter_table("voucher_batch", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_batch_scheme")
        batch_op.drop_index("ix_voucher_batch_region")

    op.drop_table("voucher_batch")
    with op.batch_alter_table("ledger_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_account_region_id"))

    op.drop_table("ledger_account")
    with op.batch_alter_table("voucher_scheme", schema=None) as batch_op:
        batch_op.drop_index("ix_voucher_scheme_region")

    op.drop_table("voucher_scheme")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_subject")

    op.drop_table("ledger_entry")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION ledger_refuse()")
