"""Personal values as pages show them by default: enough to recognise, too little to use."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """张三 → 张*; the name of a firm keeps its first and last two characters."""
    if len(name) <= 4:
        return name[:1] + "*" * max(len(name) - 1, 1) if name else ""
    return f"{name[:2]}***{name[-2:]}"


def mask_telephone(number: str) -> str:
    """13812341234 → 138****1234; of a landline the area code and the last two digits."""
    if not number:
        return ""
    line = number.partition("转")[0]
    if "-" in line:
        area, _dash, rest = line.partition("-")
        return f"{area}-{'*' * max(len(rest) - 2, 3)}{rest[-2:]}"
    return f"{line[:3]}****{line[-4:]}" if len(line) >= 11 else f"****{line[-2:]}"


def mask_email(address: str) -> str:
    """abc@example.com → a***@example.com."""
    name, _at, host = address.partition("@")
    return f"{name[:1]}***@{host}" if host else "***"


def mask_contact(contact: str) -> str:
    """A telephone or an e-mail address, masked."""
    return mask_email(contact) if "@" in contact else mask_telephone(contact)


def mask_id(number: str) -> str:
    """Identity card: the first three and the last four."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) >= 15 else "***"


def mask_account(number: str) -> str:
    """Bank account: all but the last four digits."""
    return f"****{number[-4:]}" if len(number) > 8 else "****"


def mask_text(text: str, shown: int = 6) -> str:
    """The beginning of an address or of another text."""
    return text if len(text) <= 2 else f"{text[: min(shown, len(text) - 2)]}***"
