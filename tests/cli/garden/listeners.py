"""Listeners in the garden."""

from restore.core.events import RunStarted


class Diary:
    def __init__(self, settings):
        self.settings, self.written = settings, 0

    def __call__(self, event):
        if isinstance(event, RunStarted):
            self.folder = event.folder
        if hasattr(self, "folder") and self.written != self.settings.lines:
            self.written += 1
            with (self.folder / self.settings.file).open("a") as file:
                print(type(event).__name__, file=file)


class Bee:
    def __call__(self, event):
        raise RuntimeError("stung")


class Scarecrow:
    pass


def dig():
    return 1 / 0
