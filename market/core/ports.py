"""Seams between rooms and the outside: what a room contributes, in plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from flask import Blueprint

from market.core.permissions import Actor
from market.core.settings import Settings

if TYPE_CHECKING:
    from market.core.importing import Importable
    from market.core.messages import MessageKind
    from market.core.models import StoredFile
    from market.core.workflow import Workflow
    from search_index import Document, IndexSchema


@dataclass(frozen=True)
class Searchable:
    """A kind of thing that readers can search.

    Args:
        kind: the word in outbox rows and document keys, e.g. "listing".
        schema: the fields of its documents.
        load: documents of the given ids that the public may read; ids that have none (gone,
            unpublished) are left out, and so are deleted from the index.
        batches: ids of everything the public may read, in batches, in order of id.
        expand: for outbox rows that stand for many things (an import): kind of the row → a
            function from its object id to batches of ids.
        versions: (key, version) of every document that there should be, for comparing.
    """

    kind: str
    schema: IndexSchema
    load: Callable[[Sequence[int]], Mapping[int, Document]]
    batches: Callable[[], Iterator[Sequence[int]]]
    versions: Callable[[], Iterator[tuple[str, str]]]
    expand: Mapping[str, Callable[[int], Iterator[Sequence[int]]]] = field(default_factory=dict)

    def key(self, object_id: int) -> str:
        """The key of a thing's document in the index."""
        return f"{self.kind}:{object_id}"


@dataclass(frozen=True)
class Task:
    """Something the worker does again and again.

    Args:
        name: for logs.
        every: seconds between runs.
        run: does a bounded piece of work; True when more waits, then it runs again at once.
    """

    name: str
    every: float
    run: Callable[[], bool]


@dataclass(frozen=True)
class Known:
    """A published listing, as a sentence names it."""

    no: str
    title: str
    owner: str


@dataclass(frozen=True)
class Finder:
    """Finds published listings for rooms that lie below the search.

    Args:
        by_title: (kind, title) → listings that a search for the title finds, best first.
        by_number: listings that bear a number (of a patent, a variety, a registration).
    """

    by_title: Callable[[str, str], Sequence[Known]]
    by_number: Callable[[str], Sequence[Known]]


@dataclass(frozen=True)
class Gauge:
    """A figure at /metrics. read: looks it up; None when there is none just now."""

    name: str
    meaning: str
    read: Callable[[], float | None]


@dataclass(frozen=True)
class Room:
    """What one room adds to the application."""

    name: str
    blueprints: Sequence[Blueprint] = ()
    api: Sequence[Any] = ()
    commands: Sequence[click.Command] = ()
    searchables: Sequence[Searchable] = ()
    tasks: Sequence[Task] = ()
    readiness: Sequence[tuple[str, Callable[[], bool]]] = ()
    # Functions that bring reference data of the release into the database; safe to repeat.
    seeds: Sequence[Callable[[], None]] = ()
    gauges: Sequence[Gauge] = ()
    finder: Finder | None = None
    # Tells who makes the present request; one room has it.
    identify: Callable[[], Actor] | None = None
    # Figures in the head of each page of somebody signed in: name → how many, e.g. unread messages.
    badges: Mapping[str, Callable[[Actor], int | str]] = field(default_factory=dict)
    # Whether an actor may have a file that is attached to an object of this kind.
    files: Mapping[str, Callable[[Actor, StoredFile], bool]] = field(default_factory=dict)
    # Kinds of objects whose files are handed out with a line in the audit.
    logged_files: Sequence[str] = ()
    # What a program's token can be let do: `room:thing` of its permissions → words on screen.
    scopes: Mapping[str, str] = field(default_factory=dict)
    # The kinds of messages it asks for (`core.messages`).
    messages: Sequence[MessageKind] = ()
    # What moves when two organisations become one: gets the ids of the one that ends and of the
    # one that stays, inside the unit of work of the merger.
    on_merge: Callable[[int, int], None] | None = None
    # How much of the room would move, as (label, count), for the page before a merger.
    would_move: Callable[[int], tuple[str, int]] | None = None
    # The room's workflows, for diagrams, desks and checks.
    workflows: Sequence[Workflow] = ()
    # A sentence about an organisation beside what it published, by its id: how fast it answers.
    owner_note: Callable[[int], str | None] | None = None
    # What the page of a listing shows of the room, by the reader and the listing's id: a template
    # and its values as `shown`.
    beside_listing: Callable[[Actor, int], tuple[str, Any] | None] | None = None
    # The same for the page on which those who look after a listing see its life.
    beside_own: Callable[[Actor, int], tuple[str, Any] | None] | None = None
    # What the room keeps of a person who has an account, for the export of his own data: heading →
    # rows in words.
    of_person: Callable[[int], Mapping[str, Sequence[Mapping[str, Any]]]] | None = None
    # Labels by code of a code list ("field"), for rooms that lie below the one that keeps them.
    terms: Callable[[str], Mapping[str, str]] | None = None
    # Kinds of files that people import on a page.
    imports: Sequence[Importable] = ()


@dataclass
class Market:
    """The composed application's parts, at `app.extensions["market"]`."""

    settings: Settings
    rooms: Sequence[Room]
    # endpoint → permission, for routes of installed packages that cannot carry the mark
    foreign_routes: Mapping[str, str]

    @property
    def readiness(self) -> list[tuple[str, Callable[[], bool]]]:
        return [check for room in self.rooms for check in room.readiness]

    @property
    def finder(self) -> Finder:
        """The one finder that a room brings."""
        return next(room.finder for room in self.rooms if room.finder is not None)

    @property
    def terms(self) -> Callable[[str], Mapping[str, str]]:
        """The one function that gives the labels of a code list."""
        return next(room.terms for room in self.rooms if room.terms is not None)

    @property
    def identify(self) -> Callable[[], Actor]:
        """The one function that tells who makes the present request."""
        return next(room.identify for room in self.rooms if room.identify is not None)

    @property
    def file_gates(self) -> dict[str, Callable[[Actor, StoredFile], bool]]:
        return {kind: gate for room in self.rooms for kind, gate in room.files.items()}

    @property
    def logged_files(self) -> set[str]:
        return {kind for room in self.rooms for kind in room.logged_files}

    @property
    def messages(self) -> dict[str, MessageKind]:
        return {one.name: one for room in self.rooms for one in room.messages}

    @property
    def workflows(self) -> dict[str, Workflow]:
        return {one.name: one for room in self.rooms for one in room.workflows}

    def owner_notes(self, organisation_id: int) -> list[str]:
        """What rooms say about an organisation beside what it published."""
        found = [room.owner_note(organisation_id) for room in self.rooms if room.owner_note]
        return [note for note in found if note]

    def beside_listing(self, actor: Actor, listing_id: int) -> list[tuple[str, Any]]:
        """What rooms show on the page of a listing: templates with their values."""
        rooms = (room.beside_listing for room in self.rooms if room.beside_listing)
        return [part for show in rooms if (part := show(actor, listing_id)) is not None]

    def beside_own(self, actor: Actor, listing_id: int) -> list[tuple[str, Any]]:
        """What rooms show on the page of a listing's life: templates with their values."""
        rooms = (room.beside_own for room in self.rooms if room.beside_own)
        return [part for show in rooms if (part := show(actor, listing_id)) is not None]

    def of_person(self, person_id: int) -> dict[str, list[dict[str, Any]]]:
        """All that rooms keep of a person, by heading; headings without anything too."""
        found: dict[str, list[dict[str, Any]]] = {}
        for room in self.rooms:
            if room.of_person is not None:
                for heading, rows in room.of_person(person_id).items():
                    found.setdefault(heading, []).extend(dict(row) for row in rows)
        return found

    @property
    def importables(self) -> dict[str, Importable]:
        return {one.kind.name: one for room in self.rooms for one in room.imports}

    @property
    def searchables(self) -> dict[str, Searchable]:
        return {s.kind: s for room in self.rooms for s in room.searchables}
