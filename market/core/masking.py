"""Personal values as pages show them by default: enough to recognise, too little to use."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """张三 → 张*; the name of a firm keeps its first and last two characters."""
    if len(name) <= 4:
        return name[:1] + "*" * max(len(name) - 1, 1)
    return f"{name[:2]}***{name[-2:]}"


def mask_mobile(number: str) -> str:
    """13812341234 → 138****1234; shorter numbers keep their last four."""
    if len(number) == 11:
        return f"{number[:3]}****{number[-4:]}"
    return "*" * max(len(number) - 4, 3) + number[-4:]


def mask_email(address: str) -> str:
    """abc@example.com → a***@example.com."""
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"


def mask_contact(contact: str) -> str:
    """A telephone or an e-mail address, masked."""
    return mask_email(contact) if "@" in contact else mask_mobile(contact)


def mask_account(number: str) -> str:
    """All but the last four digits."""
    return f"**** {number[-4:]}"


def mask_text(text: str, shown: int = 6) -> str:
    """The beginning of an address or of another text."""
    return text if len(text) <= 2 else f"{text[: min(shown, len(text) - 2)]}***"
