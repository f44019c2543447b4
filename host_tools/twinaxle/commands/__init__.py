"""The subcommands of `twinaxle`: each module here is one.

A command module has `add_parser(subparsers)`, which adds the parser named after the module (`_` becomes `-`), and
`run(args) -> int`, whose result is the exit code. Modules here are imported for every `twinaxle --help`: heavy
imports go inside `run`.
"""
