"""Mean opinion scores: pages on which observers rate images, and statistics of what they answer."""

from __future__ import annotations

from restore.registry import CommandSpec, hookimpl


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """Register the commands that count opinions."""
    place = "restore.plugins.opinions"
    return [
        CommandSpec(
            "mos make",
            f"{place}.make_command:make",
            settings=f"{place}.make_settings:MakeSettings",
            needs="nothing",
            summary="Write a page on which observers rate results of several methods without knowing which is which.",
        ),
        CommandSpec(
            "mos collect",
            f"{place}.collect_command:collect",
            settings=f"{place}.collect_settings:CollectSettings",
            needs="nothing",
            summary="Serve the page of a study to observers, and keep their answers.",
        ),
        CommandSpec(
            "mos score",
            f"{place}.score_command:score",
            settings=f"{place}.score_settings:ScoreSettings",
            needs="nothing",
            summary="Mean opinion scores with intervals, screening of observers, agreement of metrics with opinion.",
        ),
    ]
