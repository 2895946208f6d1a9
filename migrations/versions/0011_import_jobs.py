"""Files that people import; why grants were given and ended; the audit searched."""

import sqlalchemy as sa
from alembic import op

from market.core.db import Document, RowId, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_AUDIT = {
    "at": ["at", "id"],
    "no": ["object_no", "id"],
    "action": ["action", "id"],
    "actor": ["actor_kind", "actor_id", "id"],
    "label": ["actor_label", "id"],
}


def upgrade() -> None:
    op.create_table(
        "import_job",
        sa.Column("id", RowId, nullable=False),
        sa.Column("no", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=True),
        sa.Column("organisation_id", RowId, nullable=True),
        sa.Column("region_id", RowId, nullable=True),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("token_id", RowId, nullable=True),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("stored", sa.String(length=60), nullable=True),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("problem_count", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("sheet", sa.String(length=100), nullable=False),
        sa.Column("problems", Document, nullable=False),
        sa.Column("preview", Document, nullable=False),
        sa.Column("run_id", RowId, nullable=True),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("mode IN ('publish', 'drafts')", name=op.f("ck_import_job_mode")),
        sa.CheckConstraint(
            "state IN ('waiting', 'checking', 'checked', 'refused', 'importing', 'done', 'undone', 'failed', 'discarded')",
            name=op.f("ck_import_job_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('importing', 'done', 'undone') OR mode IS NOT NULL",
            name=op.f("ck_import_job_decided"),
        ),
        sa.CheckConstraint(
            "(organisation_id IS NULL) <> (region_id IS NULL)", name=op.f("ck_import_job_owner")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_import_job_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_import_job_person_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_import_job_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_import_job_run_id")),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_token.id"], name=op.f("fk_import_job_token_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
        sa.UniqueConstraint("no", name=op.f("uq_import_job_no")),
    )
    with op.batch_alter_table("import_job", schema=None) as batch_op:
        batch_op.create_index("ix_import_job_finished", ["finished_at"], unique=False)
        batch_op.create_index("ix_import_job_organisation", ["organisation_id", "id"], unique=False)
        batch_op.create_index("ix_import_job_region", ["region_id", "id"], unique=False)
        batch_op.create_index("ix_import_job_state", ["state", "id"], unique=False)

    op.create_table(
        "import_draft",
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("submission_id", RowId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", Document, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_import_draft_run_id")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["listing_submission.id"], name=op.f("fk_import_draft_submission_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "submission_id", name=op.f("pk_import_draft")),
    )

    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("ended_reason", sa.String(length=200), nullable=True))
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        for name, columns in _AUDIT.items():
            batch_op.create_index(f"ix_audit_entry_{name}", columns, unique=False)


def downgrade() -> None:
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        for name in _AUDIT:
            batch_op.drop_index(f"ix_audit_entry_{name}")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_column("ended_reason")
        batch_op.drop_column("reason")
    op.drop_table("import_draft")
    with op.batch_alter_table("import_job", schema=None) as batch_op:
        batch_op.drop_index("ix_import_job_state")
        batch_op.drop_index("ix_import_job_region")
        batch_op.drop_index("ix_import_job_organisation")
        batch_op.drop_index("ix_import_job_finished")

    op.drop_table("import_job")
