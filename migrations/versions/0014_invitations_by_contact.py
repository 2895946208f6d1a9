"""invitations are found by the contact that they were sent to."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_invitation_contact", "invitation", ["contact_key"])


def downgrade() -> None:
    op.drop_index("ix_invitation_contact", "invitation")
