"""Technology contracts: opinions of experts, rules enabled by offices, the desk."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_BEFORE = "uq_contract_rule_set_code_region_id"
_NOW = "uq_contract_rule_set_code_region_id_valid_from"
_INDEXES = {
    "ix_contract_office_desk": ["office_region_id", "state", "due", "submitted_at", "filer_id"],
    "ix_contract_body_desk": ["body_id", "state", "due", "submitted_at"],
    "ix_contract_body_moved": ["body_id", "state", "updated_at", "submitted_at"],
    "ix_contract_moved": ["updated_at", "id"],
}


def upgrade() -> None:
    op.create_table(
        "contract_opinion",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("expert", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=200), nullable=True),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=2000), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('agree', 'partly', 'against')", name=op.f("ck_contract_opinion_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_opinion_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_opinion")),
    )
    with op.batch_alter_table("contract_opinion") as batch:
        batch.create_index("ix_contract_opinion_contract", ["contract_id", "id"])
    with op.batch_alter_table("contract_rule_set") as batch:
        batch.drop_constraint(op.f(_BEFORE), type_="unique")
        batch.create_unique_constraint(op.f(_NOW), ["code", "region_id", "valid_from"])
    for name, columns in _INDEXES.items():
        op.create_index(name, "contract", columns)
    op.drop_index("ix_contract_office", table_name="contract")
    op.create_index(
        "ix_contract_office",
        "contract",
        ["office_region_id", "state", "updated_at", "submitted_at", "filer_id"],
    )


def downgrade() -> None:
    op.drop_index("ix_contract_office", table_name="contract")
    op.create_index("ix_contract_office", "contract", ["office_region_id", "state", "updated_at"])
    for name in _INDEXES:
        op.drop_index(name, table_name="contract")
    with op.batch_alter_table("contract_rule_set") as batch:
        batch.drop_constraint(op.f(_NOW), type_="unique")
        batch.create_unique_constraint(op.f(_BEFORE), ["code", "region_id"])
    op.drop_table("contract_opinion")
