"""Stands in for MicroPython's module under CPython: the laws run as they are, viper's types are identities."""

import builtins


def const(value):
    return value


def viper(function):
    return function


native = viper


def _same(value):
    return value


for _name in ("ptr8", "ptr16", "ptr32"):
    setattr(builtins, _name, _same)
