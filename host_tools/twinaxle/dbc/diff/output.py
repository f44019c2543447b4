"""Changes as text and JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from twinaxle.dbc.diff.change import Change, Impact

TITLES = {
    Impact.BREAKING: "breaking: nodes of the old and of the new file misunderstand each other",
    Impact.WIRE: "wire: other frames on the bus, but both understand each other",
    Impact.SOFTWARE: "software: frames stay as they are",
    Impact.TEXT: "text",
}


def text_lines(changes: Sequence[Change]) -> Iterator[str]:
    """A paragraph for each impact, and a line that counts."""
    for impact, title in TITLES.items():
        found = [change for change in changes if change.impact == impact]
        if found:
            yield title
            for change in found:
                yield f"  {change}{_lines(change)}"
            yield ""
    counts = Counter(change.impact for change in changes)
    parts = [f"{counts[impact]} {impact}" for impact in TITLES if counts[impact]]
    yield f"{len(changes)} changes: {', '.join(parts)}" if changes else "no difference in meaning"


def _lines(change: Change) -> str:
    if change.new_line:
        return f"  (line {change.new_line})"
    return f"  (old line {change.old_line})" if change.old_line else ""


def json_text(changes: Sequence[Change]) -> str:
    """One object: `changes` in order, and `counts` by impact."""
    counts = Counter(str(change.impact) for change in changes)
    document = {
        "counts": {str(impact): counts[str(impact)] for impact in TITLES},
        "changes": [{**change._asdict(), "impact": str(change.impact)} for change in changes],
    }
    return json.dumps(document, indent=2)
