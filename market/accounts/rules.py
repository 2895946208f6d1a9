"""What a credit code says of the kind of its organisation."""

from __future__ import annotations

# First two characters: registering authority and class. Source: GB 32100-2015, tables 1 and 2.
_CODES = {
    "11": ("机关", {"office", "institution"}),
    "12": ("事业单位", {"institute", "institution", "office"}),
    "13": ("编办直接管理机构编制的群众团体", {"institution"}),
    "19": ("编办登记的其他机构", {"institution", "office", "institute"}),
    "51": ("社会团体", {"institution"}),
    "52": ("民办非企业单位", {"institution", "institute"}),
    "53": ("基金会", {"institution"}),
    "91": ("企业", {"enterprise", "institution"}),
    "92": ("个体工商户", {"enterprise"}),
    "93": ("农民专业合作社", {"cooperative"}),
}


def kind_doubt(uscc: str | None, kind: str, kind_label: str) -> str:
    """A sentence when the credit code is of another kind than what was stated; else empty.

    It is a hint for the clerk who looks at the papers: bodies change their form, and keep codes.
    """
    found = _CODES.get((uscc or "")[:2])
    if found is None or kind in found[1]:
        return ""
    return f"代码以 {(uscc or '')[:2]} 开头，登记的是{found[0]}，与所填类别「{kind_label}」不一致，请对照登记证书。"


def licence_word(kind: str) -> str:
    """What the paper is called that an organisation of this kind hands in."""
    return "营业执照" if kind in ("enterprise", "cooperative") else "登记证书"
