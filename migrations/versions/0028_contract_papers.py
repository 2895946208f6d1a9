"""Certificates of registered contracts, as they were issued."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId, UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UNCERTIFIED = (
    "mode = 'own' AND state = 'registered' AND (certified IS NULL OR certified <> effective)"
)


def upgrade() -> None:
    op.add_column("contract", sa.Column("certified", sa.Integer(), nullable=True))
    op.create_index(
        "ix_contract_uncertified",
        "contract",
        ["id"],
        sqlite_where=sa.text(UNCERTIFIED),
        postgresql_where=sa.text(UNCERTIFIED),
    )
    op.create_table(
        "contract_paper",
        sa.Column("id", RowId, nullable=False),
        sa.Column("contract_id", RowId, nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("signer", sa.String(length=200), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('issued', 'failed')", name=op.f("ck_contract_paper_state")),
        sa.CheckConstraint(
            "(state = 'issued') = (hash IS NOT NULL)",
            name=op.f("ck_contract_paper_issued_with_file"),
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (trouble IS NOT NULL)",
            name=op.f("ck_contract_paper_failed_with_trouble"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_paper_contract_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_paper")),
        sa.UniqueConstraint(
            "contract_id", "issue", name=op.f("uq_contract_paper_contract_id_issue")
        ),
    )


def downgrade() -> None:
    op.drop_table("contract_paper")
    op.drop_index("ix_contract_uncertified", table_name="contract")
    op.drop_column("contract", "certified")
