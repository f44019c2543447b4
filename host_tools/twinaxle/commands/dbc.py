"""`twinaxle dbc`: generate the firmware's codec from a DBC, and check, compare and document DBC files."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.files import write_text

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database
    from twinaxle.dbc.syntax import Document

_MOST_UNREADABLE = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "dbc", help="work with DBC files: generate the firmware's codec, lint, diff, document, show the hash"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_generate(actions)
    _add_lint(actions)
    _add_diff(actions)
    _add_doc(actions)
    show = actions.add_parser("hash", help="print the ProtocolHash of a DBC")
    show.add_argument("dbc", type=Path, nargs="?", metavar="DBC", help="default: dbc/powertrain.dbc")


def _add_generate(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    generate = actions.add_parser(
        "generate",
        help="generate the MicroPython codec of a DBC",
        description="Generates a MicroPython module that packs, unpacks and protects the messages of one node, and "
        "writes the slot and message numbers into the firmware's lines that carry a `# dbc:` tag.",
    )
    generate.add_argument("dbc", type=Path, nargs="?", metavar="DBC", help="default: dbc/powertrain.dbc")
    generate.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="default: firmware/vcu/protocol.py, and the tags beside it"
    )
    generate.add_argument(
        "--node", default="VCU", help="the node whose codec it is, `all` for every message both ways (default: VCU)"
    )
    generate.add_argument(
        "--signals",
        type=Path,
        metavar="FOLDER",
        help="decode only the received signals that a `# dbc:` tag in a module of this folder names "
        "(default: all; without -o those of firmware/)",
    )
    generate.add_argument("--check", action="store_true", help="change nothing; tell what is stale, exit 1 if any is")


def _add_lint(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    lint = actions.add_parser(
        "lint",
        help="find what is wrong in DBC files",
        description="Finds syntax errors, contradictions and likely mistakes, all in one run and each with its line. "
        "Exits with 1 if there is an error (see --fail-on).",
    )
    lint.add_argument("files", type=Path, nargs="*", metavar="FILE", help="default: dbc/powertrain.dbc")
    lint.add_argument("--format", choices=("text", "json", "github"), default="text", help="default: text")
    choice = "a rule, a group, a severity or a pattern such as 'attribute-*'; several with commas or by repeating"
    lint.add_argument("--select", action="append", default=[], metavar="RULES", help=f"run only these: {choice}")
    lint.add_argument("--ignore", action="append", default=[], metavar="RULES", help="leave these out")
    lint.add_argument(
        "--fail-on", choices=("error", "warning", "style"), default="error",
        help="the least severity that makes the exit code 1 (default: error)",
    )  # fmt: skip
    lint.add_argument("--rules", action="store_true", help="list all rules and end")


def _add_diff(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    diff = actions.add_parser(
        "diff",
        help="compare two DBC files in meaning",
        description="Tells what differs in meaning, and whether nodes that go by the old file and nodes that go by the "
        "new one understand each other. Order, blanks and the way numbers are written do not count.",
    )
    diff.add_argument("old", type=Path, metavar="OLD")
    diff.add_argument("new", type=Path, metavar="NEW")
    diff.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    diff.add_argument(
        "--exit-code", nargs="?", choices=("breaking", "wire", "software", "text"), const="wire", metavar="IMPACT",
        help="exit with 1 if a change reaches as far as IMPACT: breaking, wire, software or text (default: wire)",
    )  # fmt: skip


def _add_doc(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doc = actions.add_parser(
        "doc",
        help="write a page on the protocol of a DBC",
        description="Writes a page with all messages, their bits and signals, value tables, timing, protection, nodes "
        "and bus load.",
    )
    doc.add_argument("dbc", type=Path, nargs="?", metavar="DBC", help="default: dbc/powertrain.dbc")
    doc.add_argument("-o", "--output", type=Path, metavar="OUT", help="the file to write; without it, standard output")
    doc.add_argument("--format", choices=("markdown", "html"), help="default: by the name of OUT, else markdown")
    doc.add_argument(
        "--bitrate", type=int, metavar="BIT/S", help="for the bus load (default: the file's attribute Baudrate)"
    )
    doc.add_argument("--check", action="store_true", help="write nothing; exit with 1 if OUT is stale")


def run(args: argparse.Namespace) -> int:
    """Do the action. Returns 1 where a check says no."""
    if args.action == "lint":
        return _lint(args)
    if args.action == "diff":
        return _diff(args)
    if args.action == "doc":
        return _doc(args)

    from twinaxle.dbc.database import POWERTRAIN, load_database

    database = load_database(args.dbc or POWERTRAIN)
    if args.action == "hash":
        print(f"{database.protocol_hash:08X}")
        return 0
    return _generate(args, database)


def _show(lines: Iterable[str]) -> None:
    """Print lines that have a file's own characters in them, which the terminal may not know."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding))


def _lint(args: argparse.Namespace) -> int:
    from twinaxle.dbc.database import POWERTRAIN
    from twinaxle.dbc.lint import Severity, choose_rules, lint, output
    from twinaxle.dbc.syntax import read_document
    from twinaxle.paths import shown

    if args.rules:
        print(*output.rule_lines(), sep="\n")
        return 0
    rules = choose_rules(args.select, args.ignore)
    files = {str(path): path for path in args.files} or {shown(POWERTRAIN): POWERTRAIN}
    findings = {name: lint(read_document(path), rules) for name, path in files.items()}
    if args.format == "json":
        print(output.json_text(findings))
    else:
        _show(output.github_lines(findings) if args.format == "github" else output.text_lines(findings))
    limit = Severity[args.fail_on.upper()]
    return int(any(one.rule.severity >= limit for found in findings.values() for one in found))


def _diff(args: argparse.Namespace) -> int:
    from twinaxle.dbc.diff import Impact, compare, output
    from twinaxle.dbc.syntax import read_document
    from twinaxle.terminal import warn

    old, new = read_document(args.old), read_document(args.new)
    warn(unreadable for document in (old, new) for unreadable in _unreadable(document))
    changes = compare(old, new)
    _show(output.text_lines(changes) if args.format == "text" else [output.json_text(changes)])
    limit = Impact[args.exit_code.upper()] if args.exit_code else None
    return int(limit is not None and any(change.impact >= limit for change in changes))


def _unreadable(document: "Document") -> list[str]:
    """A line for each of the first few places that cannot be read, and so are neither compared nor documented."""
    from twinaxle.dbc.lint import choose_rules, lint
    from twinaxle.paths import shown

    found = lint(document, choose_rules(["syntax"], []))
    told = [f"{shown(document.path)}:{one.line}: {one.text}; the line is left out" for one in found[:_MOST_UNREADABLE]]
    more = len(found) - len(told)
    return [*told, f"{shown(document.path)}: {more} more: see `twinaxle dbc lint`"] if more else told


def _doc(args: argparse.Namespace) -> int:
    from twinaxle.dbc import doc
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.dbc.syntax import read_document
    from twinaxle.errors import UserError
    from twinaxle.paths import shown
    from twinaxle.terminal import warn

    if args.check and not args.output:
        raise UserError("--check needs -o OUT, the file to check")
    if args.bitrate is not None and args.bitrate <= 0:
        raise UserError(f"--bitrate {args.bitrate}: the bit rate must be above 0")
    path: Path = args.dbc or POWERTRAIN
    document = read_document(path)
    warn(_unreadable(document))
    try:
        protocol_hash = load_database(path).protocol_hash
    except UserError:  # a page on a broken file is better than none
        protocol_hash = None
    by_name = "html" if args.output and args.output.suffix in (".html", ".htm") else "markdown"
    renderer = doc.html if (args.format or by_name) == "html" else doc.markdown
    # Git's textconv gives a file of another folder each time, which must not show in a diff.
    source = shown(path) if args.output else path.name
    text = renderer.render(doc.page(document, source, protocol_hash, args.bitrate))
    if not args.output:
        _show(text.splitlines())
    elif args.check:
        if not args.output.is_file() or args.output.read_text(encoding="utf-8") != text:
            print(f"{shown(args.output)}: stale: differs from what {shown(path)} gives")
            print(f"run `twinaxle dbc doc {shown(path)} -o {shown(args.output)}`")
            return 1
    else:
        write_text(args.output, text)
        print(f"{shown(args.output)}: page on {shown(path)}")
    return 0


def _generate(args: argparse.Namespace, database: "Database") -> int:
    from twinaxle import tags
    from twinaxle.dbc.micropython import generate, resolver
    from twinaxle.errors import UserError
    from twinaxle.paths import FIRMWARE, shown

    node = None if args.node == "all" else args.node
    output: Path = args.output or FIRMWARE / "vcu" / "protocol.py"
    folder: Path | None = args.signals or (None if args.output else FIRMWARE)
    if folder is not None and not folder.is_dir():
        raise UserError(f"--signals {shown(folder)}: there is no such folder.")
    read = None
    if folder is not None:  # the codec's own text has a tag as an example
        read = tags.named_paths((path for path in folder.rglob("*.py") if path.resolve() != output.resolve()), "dbc")
    source = generate(database, node, read)
    # With another output the firmware of this checkout is not meant: its tags are left alone.
    tagged = [] if args.output else [path for path in FIRMWARE.rglob("*.py") if path != output]
    resolve = resolver(database, node)

    if args.check:
        stale = []
        found = output.read_text(encoding="utf-8").splitlines() if output.is_file() else []
        wanted = source.splitlines()
        if found != wanted:
            pairs = enumerate(zip(found, wanted, strict=False), start=1)
            line = next((at for at, (a, b) in pairs if a != b), min(len(found), len(wanted)) + 1)
            stale.append(f"{shown(output)}:{line}: stale: differs from what {shown(database.path)} gives")
        stale += [str(tag) for tag in tags.rewrite_files(tagged, "dbc", resolve, check=True)]
        for message in stale:
            print(message)
        if stale:
            print("run `twinaxle dbc generate`")
        return 1 if stale else 0

    # Tags first: a wrong one must not leave a fresh module beside stale numbers.
    changed = {tag.file for tag in tags.rewrite_files(tagged, "dbc", resolve)}
    write_text(output, source)
    print(f"{shown(output)}: codec of {args.node}, ProtocolHash {database.protocol_hash:08X}")
    for path in sorted(changed):
        print(f"{shown(path)}: tags brought up to date")
    return 0
