"""The words of registered contracts: two neighbouring characters each, so that SQL finds them.

They serve examiners and offices alone; nothing of a contract goes into the public index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert

from market.contracts.models import Contract, ContractTerm
from market.contracts.schemas import PARTY_LISTS
from market.core.db import db
from market.core.text import fold


def of(text: str) -> list[str]:
    """Two neighbouring characters each, of folded text without blanks; one alone is itself."""
    folded = fold(text).replace(" ", "")
    if len(folded) == 1:
        return [folded]
    return list(dict.fromkeys(folded[i : i + 2] for i in range(len(folded) - 1)))


def write(contract: Contract, content: Mapping[str, Any]) -> None:
    """Make a registered contract found by its title, parties and numbers. In a unit of work."""
    parties = [row.get("name", "") for name in PARTY_LISTS for row in content.get(name, [])]
    texts = [content.get("title", ""), *parties, contract.no, contract.registration_no or ""]
    terms = dict.fromkeys(term for text in texts for term in of(text))
    db.session.execute(delete(ContractTerm).where(ContractTerm.contract_id == contract.id))
    if terms:
        rows = [{"term": term, "contract_id": contract.id} for term in terms]
        db.session.execute(insert(ContractTerm), rows)
