"""Changes of contracts are examined by two; entries of the sums; what received money was for."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_STATES = ("draft", "submitted", "returned", "done", "refused", "withdrawn")
_STATES_NOW = ("draft", "submitted", "returned", "examined", "done", "refused", "withdrawn")
_OPEN = ("draft", "submitted", "returned")
_OPEN_NOW = ("draft", "submitted", "returned", "examined")
_CLASSES = ("development", "assignment", "licence", "consulting", "service")


def upgrade() -> None:
    op.create_table(
        "contract_entry",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("contracts", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("technical_fen", sa.BigInteger(), nullable=False),
        sa.Column("contract_class", sa.String(length=20), nullable=True),
        sa.Column("seller_region_id", RowId, nullable=True),
        sa.Column("buyer_region_id", RowId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("contracts IN (-1, 1)", name=op.f("ck_contract_entry_contracts")),
        sa.CheckConstraint(
            f"contract_class IN {_CLASSES}", name=op.f("ck_contract_entry_contract_class")
        ),
        sa.CheckConstraint(
            "what IN ('registered', 'amended', 'corrected', 'cancelled', 'annulled')",
            name=op.f("ck_contract_entry_what"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_entry_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_region_id"], ["region.id"], name=op.f("fk_contract_entry_seller_region_id")
        ),
        sa.ForeignKeyConstraint(
            ["buyer_region_id"], ["region.id"], name=op.f("fk_contract_entry_buyer_region_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_entry")),
    )
    with op.batch_alter_table("contract_entry") as batch:
        batch.create_index("ix_contract_entry_contract", ["contract_id", "id"])
        batch.create_index("ix_contract_entry_seller", ["seller_region_id", "day"])
        batch.create_index("ix_contract_entry_buyer", ["buyer_region_id", "day"])
    op.execute(
        "INSERT INTO contract_entry (contract_id, day, what, contracts, total_fen, technical_fen,"
        " contract_class, seller_region_id, buyer_region_id, created_at)"
        " SELECT id, registered_on, 'registered', 1, total_fen, technical_fen,"
        " contract_class, seller_region_id, buyer_region_id, updated_at"
        " FROM contract WHERE state = 'registered'"
    )
    _changes()
    _receipts()


def _changes() -> None:
    op.drop_index("uq_contract_change_open", table_name="contract_change")
    with op.batch_alter_table("contract_change") as batch:
        batch.add_column(
            sa.Column("asked_by", sa.String(length=10), nullable=False, server_default="party")
        )
        batch.add_column(sa.Column("asked_name", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("hearing", sa.String(length=1000), nullable=True))
        batch.add_column(sa.Column("findings", Document, nullable=False, server_default="{}"))
        batch.add_column(sa.Column("outcome", sa.String(length=12), nullable=True))
        batch.add_column(sa.Column("submitted_at", UtcDateTime(), nullable=True))
        batch.drop_constraint(op.f("ck_contract_change_state"), type_="check")
    op.execute("UPDATE contract_change SET asked_by = 'office' WHERE asker_id IS NULL")
    op.execute("UPDATE contract_change SET submitted_at = updated_at WHERE state <> 'draft'")
    op.execute(
        "UPDATE contract_change SET outcome = 'confirmed' WHERE kind = 'review' AND state = 'done'"
    )
    with op.batch_alter_table("contract_change") as batch:
        batch.alter_column("asked_by", server_default=None)
        batch.alter_column("findings", server_default=None)
        for name, rule in (
            ("state", f"state IN {_STATES_NOW}"),
            ("asked_by", "asked_by IN ('party', 'office', 'finance', 'tax')"),
            ("asker", "(asked_by = 'party') = (asker_id IS NOT NULL)"),
            ("outcome", "outcome IN ('confirmed', 'corrected', 'reopened')"),
            ("reviewed", "(kind = 'review' AND state = 'done') = (outcome IS NOT NULL)"),
            ("decided", "state <> 'done' OR decided_on IS NOT NULL"),
            ("submitted", "state IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL"),
        ):
            batch.create_check_constraint(op.f(f"ck_contract_change_{name}"), rule)
        batch.create_index("ix_contract_change_contract", ["contract_id", "id"])
    _one_open(_OPEN_NOW)


def _one_open(states: tuple[str, ...]) -> None:
    op.create_index(
        "uq_contract_change_open",
        "contract_change",
        ["contract_id"],
        unique=True,
        sqlite_where=sa.text(f"state IN {states}"),
        postgresql_where=sa.text(f"state IN {states}"),
    )


def _receipts() -> None:
    with op.batch_alter_table("contract_receipt") as batch:
        batch.add_column(
            sa.Column("kind", sa.String(length=10), nullable=False, server_default="price")
        )
        batch.add_column(sa.Column("year", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("base_fen", sa.BigInteger(), nullable=True))
        for name, rule in (
            ("kind", "kind IN ('price', 'entry', 'royalty', 'other')"),
            ("base", "base_fen > 0"),
            ("year", "year BETWEEN 1980 AND 2200"),
        ):
            batch.create_check_constraint(op.f(f"ck_contract_receipt_{name}"), rule)
    with op.batch_alter_table("contract_receipt") as batch:
        batch.alter_column("kind", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("contract_receipt") as batch:
        for name in ("kind", "base", "year"):
            batch.drop_constraint(op.f(f"ck_contract_receipt_{name}"), type_="check")
        for name in ("kind", "year", "base_fen"):
            batch.drop_column(name)
    op.drop_index("uq_contract_change_open", table_name="contract_change")
    # What was examined once waits to be decided.
    op.execute("UPDATE contract_change SET state = 'submitted' WHERE state = 'examined'")
    with op.batch_alter_table("contract_change") as batch:
        batch.drop_index("ix_contract_change_contract")
        for name in ("state", "asked_by", "asker", "outcome", "reviewed", "decided", "submitted"):
            batch.drop_constraint(op.f(f"ck_contract_change_{name}"), type_="check")
        for name in ("asked_by", "asked_name", "hearing", "findings", "outcome", "submitted_at"):
            batch.drop_column(name)
        batch.create_check_constraint(op.f("ck_contract_change_state"), f"state IN {_STATES}")
    _one_open(_OPEN)
    op.drop_table("contract_entry")
