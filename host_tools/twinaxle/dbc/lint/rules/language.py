"""What is not DBC at all, and what only some tools can read."""

import re
from collections.abc import Iterator

from twinaxle.dbc.lint.rule import Check, Hit, Severity, rule
from twinaxle.dbc.syntax import Document


def _problems(id_: str) -> Check:
    def check(document: Document) -> Iterator[Hit]:
        for problem in document.tree.problems:
            if problem.rule == id_:
                yield Hit(problem.at, problem.text)

    check.__module__ = __name__
    return check


rule("syntax", Severity.ERROR, "not DBC syntax")(_problems("syntax"))
rule("missing-semicolon", Severity.ERROR, "a statement without its ;")(_problems("missing-semicolon"))
rule("unclosed-string", Severity.ERROR, "a string without its second quote")(_problems("unclosed-string"))
rule("unescaped-quote", Severity.ERROR, "quotes inside a comment")(_problems("unescaped-quote"))
rule("slash-comment", Severity.WARNING, "// comments, which DBC does not have")(_problems("slash-comment"))

# A signal's line as line-based readers want it: SavvyCAN leaves a signal out whose line is any different.
_SIGNAL = re.compile(
    r"SG_ +\w+ *(?:[mM]\w* *)?: *\d+\|\d+@\d[+-] +\([^\s,()]+,[^\s,()]+\) +\[[^\s|]+\|[^\s|]+\] +"
    r'"[^"]*" +\w+(?:, *\w+)*'
)
_WANTED = '`: 0|8@1+ (1,0) [0|255] "unit" NODE`'


@rule("spacing", Severity.WARNING, "blanks inside (factor,offset) or [min|max], or none before them")
def spacing(document: Document) -> Iterator[Hit]:
    for message in document.tree.messages:
        for signal in message.signals:
            if signal.receivers and not _SIGNAL.fullmatch(document.text, signal.at, signal.end):
                text = f"signal {signal.name.text}: SavvyCAN leaves it out: put blanks only where {_WANTED} has them"
                yield Hit(signal.layout_at, text)


@rule("multi-line-comment", Severity.STYLE, "a comment over several lines")
def multi_line_comment(document: Document) -> Iterator[Hit]:
    for comment in document.tree.comments:
        if "\n" in comment.text.rstrip():
            yield Hit(comment.at, "the comment spans lines: SavvyCAN leaves it out, keep it in one")
