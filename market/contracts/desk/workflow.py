"""Who may do what at the desk, beside what the table of states says."""

from __future__ import annotations

from market.accounts.roles import OFFICES
from market.contracts.policies import AtBody, InOffice
from market.contracts.workflow import EXAMINERS
from market.core.permissions import Always, Condition, InArea, Own, policy

_AT_WORK: dict[str, Condition] = dict.fromkeys((*EXAMINERS, *OFFICES), Always())
_HANDLES: dict[str, Condition] = {
    **dict.fromkeys(EXAMINERS, AtBody()),
    **dict.fromkeys(OFFICES, InOffice()),
}

# The pages of the desk; what each shows is asked of the rows.
OPEN_DESK = policy.declare("contracts:desk:open", **_AT_WORK)
PASS_UP = policy.declare("contracts:contract:pass_up", **_HANDLES)
HEAR_EXPERTS = policy.declare("contracts:contract:hear", **_HANDLES)
COPY = policy.declare("contracts:contract:copy", **_HANDLES)
RECORD_ELSEWHERE = policy.declare(
    "contracts:contract:record_elsewhere", **dict.fromkeys(OFFICES, InOffice())
)
# Of what the national system exports: for the own area.
IMPORT = policy.declare("contracts:registration:import", **dict.fromkeys(OFFICES, InArea()))
RULES_DESK = policy.declare("contracts:rule_set:oversee", **_AT_WORK)
ENABLE = policy.declare("contracts:rule_set:enable", **dict.fromkeys(OFFICES, InArea()))
NUMBERS = policy.declare("contracts:number_format:set", owner=Own(), second_examiner=Own())
