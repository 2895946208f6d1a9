"""docs/workflows.md: a diagram and a table of every workflow, drawn from the tables themselves.

    python -m tests.diagrams

writes the file anew; a test compares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from market.core.permissions import policy
from market.core.workflow import Transition, Workflow
from market.rooms import ROOMS

FILE = Path(__file__).parents[1] / "docs" / "workflows.md"
HOW = "python -m tests.diagrams"
HEAD = f"""# Workflows

Drawn from the tables in the code by `{HOW}`; a test compares. An action marked `*` needs a reason;
one marked `+` is offered for many cases at once.
"""


def document() -> str:
    """The whole file."""
    workflows = [one for room in ROOMS for one in room.workflows]
    parts = [HEAD, *("\n".join(_section(one)) for one in sorted(workflows, key=lambda w: w.name))]
    return "\n".join(parts) + "\n"


def _section(one: Workflow) -> Iterator[str]:
    yield f"## {one.label} (`{one.name}`)\n"
    yield "```mermaid"
    yield from diagram(one)
    yield "```\n"
    yield "| action | from | to | permission | who may | not who did |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for step in one.transitions:
        sources = ", ".join(one.states[source] for source in step.sources)
        cells = [
            f"{step.label} `{step.action}`{_marks(step)}",
            sources,
            one.states[step.target],
            f"`{step.permission}`",
            ", ".join(policy.rules[step.permission]) or "system",
            ", ".join(step.not_by),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def diagram(one: Workflow) -> Iterator[str]:
    """A state diagram in Mermaid's words."""
    yield "stateDiagram-v2"
    for state, label in one.states.items():
        yield f"    {state} : {label}"
    if one.start in one.states:
        yield f"    [*] --> {one.start}"
    for step in one.transitions:
        for source in step.sources:
            yield f"    {source} --> {step.target} : {step.label}{_marks(step)}"
    for state in _ends(one):
        yield f"    {state} --> [*]"


def _ends(one: Workflow) -> Sequence[str]:
    """States from which nothing leads on."""
    begun = {source for step in one.transitions for source in step.sources}
    reached = {step.target for step in one.transitions}
    return [state for state in one.states if state in reached and state not in begun]


def _marks(step: Transition) -> str:
    return "*" * step.reason + "+" * step.bulk


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
