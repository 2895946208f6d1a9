"""Technology contracts."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "contract_rule_set",
        sa.Column("id", RowId, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("region_id", RowId, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("clock_days", sa.Integer(), nullable=True),
        sa.Column("clock_unit", sa.String(length=10), nullable=True),
        sa.Column("large_days", sa.Integer(), nullable=True),
        sa.Column("restarts", sa.Boolean(), nullable=False),
        sa.Column("thresholds", Document, nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("enabled_by", sa.String(length=200), nullable=True),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "clock_unit IN ('natural', 'working')", name=op.f("ck_contract_rule_set_clock_unit")
        ),
        sa.CheckConstraint(
            "(clock_days IS NULL) = (clock_unit IS NULL)",
            name=op.f("ck_contract_rule_set_clock_whole"),
        ),
        sa.CheckConstraint(
            "clock_days BETWEEN 1 AND 365", name=op.f("ck_contract_rule_set_clock_days")
        ),
        sa.CheckConstraint(
            "large_days BETWEEN 1 AND 365", name=op.f("ck_contract_rule_set_large_days")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_contract_rule_set_period")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_contract_rule_set_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_rule_set")),
        sa.UniqueConstraint("code", "region_id", name=op.f("uq_contract_rule_set_code_region_id")),
    )
    with op.batch_alter_table("contract_rule_set", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contract_rule_set_region", ["region_id", "enabled", "valid_from"], unique=False
        )

    op.create_table(
        "contract",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("filer_id", RowId, nullable=True),
        sa.Column("body_id", RowId, nullable=True),
        sa.Column("point_id", RowId, nullable=True),
        sa.Column("office_region_id", RowId, nullable=False),
        sa.Column("intent_no", sa.String(length=20), nullable=True),
        sa.Column("listing_no", sa.String(length=20), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("contract_class", sa.String(length=20), nullable=True),
        sa.Column("subclass", sa.String(length=30), nullable=True),
        sa.Column("field", sa.String(length=20), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("total_fen", sa.BigInteger(), nullable=True),
        sa.Column("technical_fen", sa.BigInteger(), nullable=True),
        sa.Column("seller_id", RowId, nullable=True),
        sa.Column("buyer_id", RowId, nullable=True),
        sa.Column("seller_name", sa.String(length=200), nullable=False),
        sa.Column("buyer_name", sa.String(length=200), nullable=False),
        sa.Column("seller_region_id", RowId, nullable=True),
        sa.Column("buyer_region_id", RowId, nullable=True),
        sa.Column("rule_set_id", RowId, nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("first_examiner", sa.String(length=200), nullable=True),
        sa.Column("second_examiner", sa.String(length=200), nullable=True),
        sa.Column("refusal", sa.String(length=20), nullable=True),
        sa.Column("refused_hash", sa.String(length=64), nullable=True),
        sa.Column("registration_no", sa.String(length=40), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("registered_by", sa.String(length=200), nullable=True),
        sa.Column("check_code", sa.String(length=12), nullable=True),
        sa.Column("void_on", sa.Date(), nullable=True),
        sa.Column("shows", Document, nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'annulled')) = (void_on IS NOT NULL)",
            name=op.f("ck_contract_void"),
        ),
        sa.CheckConstraint(
            "contract_class IN ('development', 'assignment', 'licence', 'consulting', 'service')",
            name=op.f("ck_contract_contract_class"),
        ),
        sa.CheckConstraint(
            "mode <> 'own' OR body_id IS NOT NULL", name=op.f("ck_contract_own_body")
        ),
        sa.CheckConstraint(
            "mode = 'elsewhere' OR filer_id IS NOT NULL", name=op.f("ck_contract_filed_by")
        ),
        sa.CheckConstraint(
            "mode IN ('external', 'own', 'elsewhere')", name=op.f("ck_contract_mode")
        ),
        sa.CheckConstraint(
            "refusal IN ('void', 'not_technology', 'unclear', 'approval', 'name', 'monopoly', 'evidence', 'seal', 'other')",
            name=op.f("ck_contract_refusal"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR refusal IS NOT NULL",
            name=op.f("ck_contract_refused_with_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'accepted', 'expert', 'examined', 'cleared', 'registered', 'refused', 'withdrawn', 'cancelled', 'annulled')",
            name=op.f("ck_contract_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('registered', 'cancelled', 'annulled') OR (registration_no IS NOT NULL AND registered_on IS NOT NULL AND registered_by IS NOT NULL AND effective IS NOT NULL AND total_fen IS NOT NULL AND technical_fen IS NOT NULL)",
            name=op.f("ck_contract_registered_whole"),
        ),
        sa.CheckConstraint(
            "subclass IN ('commissioned', 'joint', 'conversion', 'patent_assignment', 'application_assignment', 'secret_assignment', 'software_assignment', 'layout_assignment', 'variety_assignment', 'biomedical_assignment', 'equity', 'patent_licence', 'secret_licence', 'software_licence', 'layout_licence', 'variety_licence', 'biomedical_licence', 'consulting', 'service', 'training', 'brokerage')",
            name=op.f("ck_contract_subclass"),
        ),
        sa.CheckConstraint("technical_fen >= 0", name=op.f("ck_contract_technical")),
        sa.CheckConstraint(
            "total_fen >= technical_fen", name=op.f("ck_contract_technical_within_total")
        ),
        sa.ForeignKeyConstraint(["body_id"], ["admission.id"], name=op.f("fk_contract_body_id")),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["organisation.id"], name=op.f("fk_contract_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["buyer_region_id"], ["region.id"], name=op.f("fk_contract_buyer_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["filer_id"], ["organisation.id"], name=op.f("fk_contract_filer_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_region_id"], ["region.id"], name=op.f("fk_contract_office_region_id")
        ),
        sa.ForeignKeyConstraint(["point_id"], ["admission.id"], name=op.f("fk_contract_point_id")),
        sa.ForeignKeyConstraint(
            ["rule_set_id"], ["contract_rule_set.id"], name=op.f("fk_contract_rule_set_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["organisation.id"], name=op.f("fk_contract_seller_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_region_id"], ["region.id"], name=op.f("fk_contract_seller_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("no", name=op.f("uq_contract_no")),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contract_body", ["body_id", "state", "registered_on"], unique=False
        )
        batch_op.create_index("ix_contract_buyer", ["buyer_id", "state"], unique=False)
        batch_op.create_index(
            "ix_contract_buyer_region", ["buyer_region_id", "state", "registered_on"], unique=False
        )
        batch_op.create_index(
            "ix_contract_filer", ["filer_id", "state", "updated_at"], unique=False
        )
        batch_op.create_index("ix_contract_intent", ["intent_no"], unique=False)
        batch_op.create_index(
            "ix_contract_office", ["office_region_id", "state", "updated_at"], unique=False
        )
        batch_op.create_index("ix_contract_point", ["point_id", "state"], unique=False)
        batch_op.create_index("ix_contract_registered", ["registered_on", "id"], unique=False)
        batch_op.create_index("ix_contract_seller", ["seller_id", "state"], unique=False)
        batch_op.create_index(
            "ix_contract_seller_region",
            ["seller_region_id", "state", "registered_on"],
            unique=False,
        )
        batch_op.create_index("uq_contract_registration_no", ["registration_no"], unique=True)

    op.create_table(
        "contract_number_counter",
        sa.Column("body_id", RowId, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("ck_contract_number_counter_last")),
        sa.ForeignKeyConstraint(
            ["body_id"], ["admission.id"], name=op.f("fk_contract_number_counter_body_id")
        ),
        sa.PrimaryKeyConstraint("body_id", "year", name=op.f("pk_contract_number_counter")),
    )
    op.create_table(
        "contract_number_format",
        sa.Column("id", RowId, nullable=False),
        sa.Column("body_id", RowId, nullable=False),
        sa.Column("from_year", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(length=60), nullable=False),
        sa.Column("body_code", sa.String(length=12), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["body_id"], ["admission.id"], name=op.f("fk_contract_number_format_body_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_number_format")),
        sa.UniqueConstraint(
            "body_id", "from_year", name=op.f("uq_contract_number_format_body_id_from_year")
        ),
    )
    op.create_table(
        "contract_change",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asker_id", RowId, nullable=True),
        sa.Column("office_region_id", RowId, nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("ground", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("answer", sa.String(length=1000), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("touches", Document, nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind <> 'amend' OR version IS NOT NULL", name=op.f("ck_contract_change_amended")
        ),
        sa.CheckConstraint(
            "kind IN ('amend', 'cancel', 'annul', 'review')", name=op.f("ck_contract_change_kind")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'done', 'refused', 'withdrawn')",
            name=op.f("ck_contract_change_state"),
        ),
        sa.ForeignKeyConstraint(
            ["asker_id"], ["organisation.id"], name=op.f("fk_contract_change_asker_id")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_change_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_region_id"], ["region.id"], name=op.f("fk_contract_change_office_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_change")),
        sa.UniqueConstraint("no", name=op.f("uq_contract_change_no")),
    )
    with op.batch_alter_table("contract_change", schema=None) as batch_op:
        batch_op.create_index("ix_contract_change_asker", ["asker_id", "state"], unique=False)
        batch_op.create_index(
            "ix_contract_change_office", ["office_region_id", "state", "updated_at"], unique=False
        )
        batch_op.create_index(
            "uq_contract_change_open",
            ["contract_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('draft', 'submitted', 'returned')"),
            postgresql_where=sa.text("state IN ('draft', 'submitted', 'returned')"),
        )

    op.create_table(
        "contract_deficiency",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("answered", sa.String(length=500), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("round BETWEEN 1 AND 50", name=op.f("ck_contract_deficiency_round")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_deficiency_contract_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_deficiency")),
    )
    with op.batch_alter_table("contract_deficiency", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contract_deficiency_contract", ["contract_id", "round", "id"], unique=False
        )

    op.create_table(
        "contract_party",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organisation_id", RowId, nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded_name", sa.String(length=200), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("nature", sa.String(length=3), nullable=True),
        sa.Column("region_id", RowId, nullable=True),
        sa.Column("telephone_key", sa.String(length=64), nullable=True),
        sa.Column("legal_key", sa.String(length=64), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "side IN ('seller', 'buyer', 'third')", name=op.f("ck_contract_party_side")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_party_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_contract_party_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_contract_party_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_party")),
        sa.UniqueConstraint(
            "contract_id",
            "side",
            "position",
            name=op.f("uq_contract_party_contract_id_side_position"),
        ),
    )
    with op.batch_alter_table("contract_party", schema=None) as batch_op:
        batch_op.create_index("ix_contract_party_legal", ["legal_key"], unique=False)
        batch_op.create_index("ix_contract_party_name", ["folded_name"], unique=False)
        batch_op.create_index("ix_contract_party_organisation", ["organisation_id"], unique=False)
        batch_op.create_index("ix_contract_party_telephone", ["telephone_key"], unique=False)
        batch_op.create_index("ix_contract_party_uscc", ["uscc"], unique=False)

    op.create_table(
        "contract_receipt",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=True),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("reverses_id", RowId, nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(reverses_id IS NULL) = (amount_fen > 0)", name=op.f("ck_contract_receipt_reversal")
        ),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_contract_receipt_amount")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_receipt_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["contract_receipt.id"], name=op.f("fk_contract_receipt_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_receipt")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_contract_receipt_reverses_id")),
    )
    with op.batch_alter_table("contract_receipt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contract_receipt_contract", ["contract_id", "received_on"], unique=False
        )

    op.create_table(
        "contract_term",
        sa.Column("term", sa.String(length=4), nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_term_contract_id")
        ),
        sa.PrimaryKeyConstraint("term", "contract_id", name=op.f("pk_contract_term")),
    )
    with op.batch_alter_table("contract_term", schema=None) as batch_op:
        batch_op.create_index("ix_contract_term_contract", ["contract_id"], unique=False)

    op.create_table(
        "contract_version",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("content", Document, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("origins", Document, nullable=False),
        sa.Column("findings", Document, nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('registered', 'superseded')) = (registered_on IS NOT NULL)",
            name=op.f("ck_contract_version_registered"),
        ),
        sa.CheckConstraint(
            "state IN ('working', 'registered', 'superseded', 'dropped')",
            name=op.f("ck_contract_version_state"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_version_contract_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_version")),
        sa.UniqueConstraint(
            "contract_id", "version", name=op.f("uq_contract_version_contract_id_version")
        ),
    )
    with op.batch_alter_table("contract_version", schema=None) as batch_op:
        batch_op.create_index(
            "uq_contract_version_registered",
            ["contract_id"],
            unique=True,
            sqlite_where=sa.text("state = 'registered'"),
            postgresql_where=sa.text("state = 'registered'"),
        )


def downgrade() -> None:

    with op.batch_alter_table("contract_version", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_contract_version_registered",
            sqlite_where=sa.text("state = 'registered'"),
            postgresql_where=sa.text("state = 'registered'"),
        )

    op.drop_table("contract_version")
    with op.batch_alter_table("contract_term", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_term_contract")

    op.drop_table("contract_term")
    with op.batch_alter_table("contract_receipt", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_receipt_contract")

    op.drop_table("contract_receipt")
    with op.batch_alter_table("contract_party", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_party_uscc")
        batch_op.drop_index("ix_contract_party_telephone")
        batch_op.drop_index("ix_contract_party_organisation")
        batch_op.drop_index("ix_contract_party_name")
        batch_op.drop_index("ix_contract_party_legal")

    op.drop_table("contract_party")
    with op.batch_alter_table("contract_deficiency", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_deficiency_contract")

    op.drop_table("contract_deficiency")
    with op.batch_alter_table("contract_change", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_contract_change_open",
            sqlite_where=sa.text("state IN ('draft', 'submitted', 'returned')"),
            postgresql_where=sa.text("state IN ('draft', 'submitted', 'returned')"),
        )
        batch_op.drop_index("ix_contract_change_office")
        batch_op.drop_index("ix_contract_change_asker")

    op.drop_table("contract_change")
    op.drop_table("contract_number_format")
    op.drop_table("contract_number_counter")
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.drop_index("uq_contract_registration_no")
        batch_op.drop_index("ix_contract_seller_region")
        batch_op.drop_index("ix_contract_seller")
        batch_op.drop_index("ix_contract_registered")
        batch_op.drop_index("ix_contract_point")
        batch_op.drop_index("ix_contract_office")
        batch_op.drop_index("ix_contract_intent")
        batch_op.drop_index("ix_contract_filer")
        batch_op.drop_index("ix_contract_buyer_region")
        batch_op.drop_index("ix_contract_buyer")
        batch_op.drop_index("ix_contract_body")

    op.drop_table("contract")
    with op.batch_alter_table("contract_rule_set", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_rule_set_region")

    op.drop_table("contract_rule_set")
