"""Verbs of the garden."""


def count(settings):
    print(*range(1, settings.to + 1))


def smell(task, modules, settings):
    print(type(task).__name__, sorted(modules), settings.to)
