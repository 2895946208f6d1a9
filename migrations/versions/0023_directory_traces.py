"""what imports did to the directory, and of which end an organisation was told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from market.core.db import RowId

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_trace",
        sa.Column("id", RowId, nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("object_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "before",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "kind IN ('admission', 'specialist')", name=op.f("ck_directory_trace_kind")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_directory_trace_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_trace")),
    )
    op.create_index("ix_directory_trace_run", "directory_trace", ["run_id"])
    op.create_index("ix_directory_trace_object", "directory_trace", ["kind", "object_id"])
    op.add_column("admission", sa.Column("reminded", sa.Date(), nullable=True))
    op.create_index("ix_admission_ends", "admission", ["valid_to", "state"])


def downgrade() -> None:
    op.drop_index("ix_admission_ends", table_name="admission")
    op.drop_column("admission", "reminded")
    op.drop_index("ix_directory_trace_object", table_name="directory_trace")
    op.drop_index("ix_directory_trace_run", table_name="directory_trace")
    op.drop_table("directory_trace")
