"""What each of the three administrators may do, and nobody else."""

from __future__ import annotations

from market.core.permissions import Always, policy

SEE_PEOPLE = policy.declare("accounts:person:administer", system_admin=Always())
SEE_GRANTS = policy.declare("accounts:grant:administer", security_admin=Always())
GRANT = policy.declare("accounts:grant:give", security_admin=Always())
END = policy.declare("accounts:grant:end", security_admin=Always())
RESET_SECOND_FACTOR = policy.declare("accounts:second_factor:reset", security_admin=Always())
READ_AUDIT = policy.declare("core:audit:read", audit_admin=Always())
EXPORT_AUDIT = policy.declare("core:audit:export", audit_admin=Always())
FIRST = policy.declare("accounts:administrator:create")  # the command line alone
