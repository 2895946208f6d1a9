"""The kinds of files of this room that people import on a page, and how their rows will look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from market.catalogue import terms
from market.catalogue.display import price_text
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.imports import workflow
from market.catalogue.imports.draft_importer import DraftImporter
from market.catalogue.models import STAGES
from market.catalogue.pins import KIND as PINS
from market.catalogue.publishing.version_queries import changes
from market.catalogue.undoing import changed_since
from market.core.importing import Checked, Importable, Options
from market.core.permissions import Actor
from market.regions.industries import KIND as LEADING_INDUSTRIES

_LONGEST = 80  # characters of a text that is shown


def _shown(kind: str) -> Callable[[Checked], Mapping[str, str]]:
    return lambda checked: shown(kind, checked)


def shown(kind: str, checked: Checked) -> Mapping[str, str]:
    """What a listing will say, by label; of a public one what changes, before and after.

    A row that changes nothing is shown as it is typed.
    """
    if checked.action == "changed" and checked.existing_id is not None:
        plain = checked.content["plain"]
        differ = changes(kind, checked.existing_id, plain)
        return {"名称": plain["title"]} | {
            label: f"原：{_brief(before)}；改为：{_brief(after)}" for label, before, after in differ
        }
    return _content(checked)


def _brief(text: str) -> str:
    return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…") or "（空）"


def _content(checked: Checked) -> Mapping[str, str]:
    plain = checked.content.get("plain") or {}
    values = checked.row.values
    found = {
        "名称": plain.get("title") or str(values.get("title") or ""),
        "单位": str(values.get("owner_name") or ""),
        "简介": (plain.get("summary") or str(values.get("summary") or ""))[:80],
        "技术领域": "、".join(terms.labels("field", plain.get("fields") or ())),
        "所处阶段": STAGES.get(plain.get("stage") or "", ""),
        "价格": price_text(plain) or "",
        "关键词": "、".join((plain.get("keywords") or ())[:5]),
    }
    return {label: text for label, text in found.items() if text}


def _since(run_id: int) -> Sequence[str]:
    return changed_since(run_id).sentences


def _drafts(kind: str) -> Callable[[Options, Actor], DraftImporter]:
    return lambda options, actor: DraftImporter(kind, options, actor)


IMPORTS = (
    Importable(
        ACHIEVEMENTS, workflow.ACHIEVEMENTS, _shown("achievement"), _since, _drafts("achievement")
    ),
    Importable(DEMANDS, workflow.DEMANDS, _shown("demand"), _since, _drafts("demand")),
    Importable(PINS, workflow.PINS, county=True),
    Importable(LEADING_INDUSTRIES, workflow.INDUSTRIES, county=True),
)
