"""groups of synonyms keep the region of the office that wrote them."""

import sqlalchemy as sa
from alembic import op

from market.core.db import RowId

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("term") as batch:
        batch.add_column(sa.Column("region_id", RowId, nullable=True))
        batch.create_foreign_key(op.f("fk_term_region_id"), "region", ["region_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("term") as batch:
        batch.drop_constraint(op.f("fk_term_region_id"), type_="foreignkey")
        batch.drop_column("region_id")
