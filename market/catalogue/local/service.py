"""Changing local settings: the form is read as a file is, so both obey the same rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from market.accounts.roles import OFFICES
from market.catalogue.local import queries
from market.catalogue.local.queries import EDIT, EDIT_SYNONYMS, County, Held
from market.catalogue.local.schemas import INDUSTRY_FIELDS, PIN_FIELDS
from market.catalogue.models import ReviewTarget, Term
from market.catalogue.pins import PinImporter
from market.catalogue.pins import columns as pin_columns
from market.catalogue.synonyms import SCHEME, folded
from market.catalogue.term_files import TermImporter
from market.catalogue.term_files import columns as term_columns
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.importing import Checked, Importer, Options
from market.core.permissions import Actor, policy
from market.core.sheets import Column, Row
from market.core.unit_of_work import unit_of_work
from market.regions.industries import LeadingIndustryImporter
from market.regions.industries import columns as industry_columns
from market.regions.models import path_ids

CHANGED = "同事刚改过这里：您填的还在下面，每格下面写着现在的内容；核对后再保存一次。"


def save_industries(actor: Actor, code: str, typed: Mapping[str, Any], seen: str) -> None:
    """Fill the five places of a county's leading industries; what is blank is emptied.

    Args:
        typed: `<field>_<position>` → text.
        seen: the version of what the editor saw.

    Raises:
        Invalid: messages by field. Conflict: somebody changed it meanwhile.
        NotFound: not a county of the actor's area.
    """
    county = queries.county(actor, code)
    importer = LeadingIndustryImporter(Options(only_area=county.area_path))
    rows = _rows(county, typed, INDUSTRY_FIELDS, queries.INDUSTRY_PLACES, industry_columns())
    _save(actor, county, importer, rows, "industries", queries.industries, seen)


def save_pins(actor: Actor, code: str, typed: Mapping[str, Any], seen: str) -> None:
    """Fill the twelve places of what a county recommends; what is blank is emptied.

    Raises:
        As `save_industries`.
    """
    county = queries.county(actor, code)
    importer = PinImporter(Options(only_area=county.area_path))
    rows = _rows(county, typed, PIN_FIELDS, queries.PIN_PLACES, pin_columns())
    _save(actor, county, importer, rows, "pins", queries.pins, seen)


def save_review_target(actor: Actor, code: str, days: int | None, seen: str) -> None:
    """Set the office's own target of working days for reviews; it counts for what is sent from now on.

    Args:
        days: None takes the platform's target, 0 sets none: days elapsed are shown then.
        seen: what the editor saw, as `queries.review_target` says it.

    Raises:
        Conflict: somebody changed it meanwhile. NotFound: not a county of the actor's area.
    """
    county = queries.county(actor, code)
    with unit_of_work(actor) as work:
        work.require(EDIT, county)
        before = queries.review_target(county.id)
        if before != seen:
            raise Conflict(CHANGED)
        after = "" if days is None else str(days)
        if after == before:
            return
        row = db.session.get(ReviewTarget, county.id)
        if days is None:
            db.session.delete(row)
        else:
            row = row or ReviewTarget(region_id=county.id)
            row.days, row.updated_at, row.updated_by = days, clock.now(), actor.label
            db.session.add(row)
        work.record(
            "review_target.edited",
            "region",
            county.id,
            no=county.code,
            before={"days": before},
            after={"days": after},
        )


def pin(actor: Actor, code: str, no: str, position: int, note: str | None) -> None:
    """Recommend a listing in one place of a county; it leaves the place that it had.

    Raises:
        Invalid: it is not published, or the reason is too long.
        NotFound: not a county of the actor's area.
    """
    county = queries.county(actor, code)
    held = queries.pins(county.id)
    typed = {f"no_{position}": no, f"note_{position}": note or ""}
    rows = _rows(county, typed, PIN_FIELDS, (position,), pin_columns())
    importer = PinImporter(Options(only_area=county.area_path))
    _save(actor, county, importer, rows, "pins", queries.pins, held.version)


def _rows(
    county: County,
    typed: Mapping[str, Any],
    names: Sequence[str],
    places: Iterable[int],
    columns: Sequence[Column],
) -> list[Row]:
    """The form as rows of a file."""
    labels = {column.key: column.label for column in columns}
    return [
        Row(
            place,
            {"region": county.code, "position": str(place)}
            | {name: typed.get(f"{name}_{place}") or None for name in names},
            {},
            labels,
        )
        for place in places
    ]


def _judged(
    importer: Importer, rows: Sequence[Row], field: Callable[[Row, str], str]
) -> list[Checked]:
    """What the rows change.

    Raises:
        Invalid: the mistakes, at the fields of the form.
    """
    checked = importer.check(rows)
    wrong: dict[str, list[str]] = {}
    for row in rows:
        keys = {label: key for key, label in row.labels.items()}
        for problem in row.problems:
            if not problem.warning:
                name = field(row, keys.get(problem.column, problem.column))
                wrong.setdefault(name, []).append(problem.message)
    if wrong:
        raise Invalid(wrong)
    return [one for one in checked if one.action != "unchanged"]


def _save(
    actor: Actor,
    county: County,
    importer: Importer,
    rows: Sequence[Row],
    what: str,
    read: Callable[[int], Held],
    seen: str,
) -> None:
    changed = _judged(importer, rows, lambda row, key: f"{key}_{row.number}")
    with unit_of_work(actor) as work:
        work.require(EDIT, county)
        before = read(county.id)
        if before.version != seen:
            raise Conflict(CHANGED)
        if not changed:
            return
        version = int(clock.now().timestamp() * 1_000_000)
        importer.stage(version, changed)
        importer.publish(version)
        after = read(county.id)
        work.record(
            f"{what}.edited",
            "region",
            county.id,
            no=county.code,
            before=_told(before, after),
            after=_told(after, before),
        )


def _told(held: Held, other: Held) -> dict[str, Any]:
    """The places that differ, as the audit keeps them."""
    return {
        str(place): "｜".join(values.values())
        for place, values in sorted(held.places.items())
        if other.places.get(place) != values
    }


def save_group(actor: Actor, code: str | None, values: Mapping[str, Any]) -> str:
    """Write a group of synonyms: a new one, or another wording of the one with this code.

    A new one belongs to the actor's office: it changes its own, a province all of its area.

    Returns its code.

    Raises:
        Invalid: messages by field. Denied: not an officer, or another office wrote the group.
        NotFound: there is no such group.
    """
    policy.require(actor, EDIT_SYNONYMS)
    before = queries.group(code) if code is not None else None
    told = _group(before)
    row = _synonym_row({"code": code or _new_code(values.get("label")), **values})
    _write_group(actor, row, told, "synonyms.edited")
    return str(row.values["code"])


def end_group(actor: Actor, code: str) -> None:
    """Let a group of synonyms hold no longer.

    Raises:
        Denied: not an officer, or another office wrote it. NotFound: there is no such group.
    """
    policy.require(actor, EDIT_SYNONYMS)
    term = queries.group(code)
    row = _synonym_row({"code": code, "label": term.label, "valid_to": clock.today().isoformat()})
    _write_group(actor, row, _group(term), "synonyms.ended")


def _new_code(label: str | None) -> str:
    """A code for a new group: its first word, with a number where another group bears that code."""
    stem = (label or "").strip()[:24]
    taken = {folded(code) for code in queries.codes()}
    tries = (stem if number < 2 else f"{stem}-{number}" for number in range(1, 1000))
    return next((one for one in tries if folded(one) not in taken), stem)


def _synonym_row(values: Mapping[str, Any]) -> Row:
    labels = {column.key: column.label for column in term_columns()}
    aliases = (values.get("aliases") or "").replace("；", "|").replace("、", "|")
    whole = {"scheme": SCHEME} | dict(values)
    return Row(1, whole | ({"aliases": aliases} if aliases else {}), {}, labels)


def _write_group(actor: Actor, row: Row, before: dict[str, Any], action: str) -> None:
    importer = TermImporter(Options())
    changed = _judged(importer, [row], lambda _row, key: key)
    if "valid_to" not in row.values and not row.values.get("aliases"):
        raise Invalid({"aliases": ["请至少填一个同义的词。"]})
    if not changed:
        return
    key = (SCHEME, row.values["code"])
    with unit_of_work(actor) as work:
        held = db.session.get(Term, key)
        work.require(EDIT_SYNONYMS, held)
        importer.stage(0, changed)
        importer.publish(0)
        if held is None:
            db.session.get_one(Term, key).region_id = _own_region(actor)
        after = {
            name: row.values[name]
            for name in ("label", "aliases", "source")
            if row.values.get(name)
        }
        work.record(action, "term", 0, no=row.values["code"][:40], before=before, after=after)


def _own_region(actor: Actor) -> int | None:
    """The region of the actor's office; of several the one highest up."""
    areas = sorted(actor.areas(*OFFICES), key=lambda path: (path.count("/"), path))
    return path_ids(areas[0])[-1] if areas else None


def _group(term: Any) -> dict[str, Any]:
    if term is None:
        return {}
    return {"label": term.label, "aliases": term.aliases, "source": term.source}
