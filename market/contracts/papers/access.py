"""Who may have which paper of a contract.

Certificate and information sheet go to whoever reads the contract. What passes between the filer
and those who examine, and what prints people's names and telephones, stays between the two.
"""

from __future__ import annotations

from market.accounts.roles import MEMBERS, OFFICES
from market.contracts.policies import AtBody, AtPoint, Filer, InOffice
from market.contracts.workflow import EXAMINERS
from market.core.permissions import Always, policy

FILE = policy.declare(
    "contracts:paper:file",
    **dict.fromkeys(MEMBERS, Filer()),
    point_staff=AtPoint(),
    **dict.fromkeys(EXAMINERS, AtBody()),
    **dict.fromkeys(OFFICES, InOffice()),
)
AGAIN = policy.declare("contracts:paper:again", second_examiner=AtBody())
STORE = policy.declare("contracts:paper:store")
VERIFY = policy.declare("contracts:paper:verify", public=Always())
TEXTS = policy.declare("contracts:paper:texts", public=Always())
