"""Personal values with their middle left out: enough to recognise, too little to use."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """张三 → 张*, 欧阳修文 → 欧***."""
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""


def mask_mobile(number: str) -> str:
    """13812341234 → 138****1234; shorter numbers keep their last two digits."""
    if len(number) >= 11:
        return f"{number[:3]}****{number[-4:]}"
    return "****" + number[-2:] if number else ""


def mask_email(address: str) -> str:
    """anna@x.cn → a***@x.cn."""
    name, _at, host = address.partition("@")
    return f"{name[:1]}***@{host}" if host else "***"


def mask_id(number: str) -> str:
    """Identity card: the first three and the last four."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) >= 15 else "***"


def mask_bank(number: str) -> str:
    """Bank account: the last four."""
    return f"****{number[-4:]}" if len(number) > 8 else "****"


def mask_contact(text: str) -> str:
    """A telephone or an e-mail address."""
    return mask_email(text) if "@" in text else mask_mobile(text)
