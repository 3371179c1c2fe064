"""A family for tests."""

from restore.registry import CommandSpec, ListenerSpec, LossSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks():
    place = "restore_garden"
    return [
        TaskSpec(
            "grow-flowers",
            f"{place}.task:Grow",
            settings=f"{place}.settings:GrowSettings",
            predict=f"{place}.settings:PickSettings",
            evaluate=f"{place}.settings:WeighSettings",
            summary="Grows flowers.",
        ),
        TaskSpec("water", f"{place}.task:Water", settings=f"{place}.settings:WaterSettings", summary="Waters flowers."),
        TaskSpec(
            "rain",
            f"{place}.task:Rain",
            settings=f"{place}.settings:GrowSettings",
            evaluate=f"{place}.settings:WeighSettings",
            trains=False,
            summary="Falls without training.",
        ),
        TaskSpec(
            "snow", f"{place}.task:Rain", settings=f"{place}.settings:GrowSettings", trains=False, summary="Falls too."
        ),
        TaskSpec("no-reference", f"{place}.task:Absent", settings=f"{place}.settings:AbsentSettings"),
        TaskSpec("no-settings", f"{place}.task:Grow", settings=f"{place}.settings:NOT_A_CLASS"),
        TaskSpec("demanding", f"{place}.task:Grow", settings=f"{place}.settings:DemandingSettings"),
        TaskSpec("clashing", f"{place}.task:Grow", settings=f"{place}.settings:ClashingSettings"),
    ]


@hookimpl
def restore_losses():
    return [
        LossSpec("wilting", "restore_garden.task:wilting", role="pixel", summary="How much has wilted."),
        LossSpec("rot", "restore_garden.task:wilting", role="inpainting", summary="How much has rotted."),
    ]


@hookimpl
def restore_listeners():
    place = "restore_garden.listeners"
    return [
        ListenerSpec("diary", f"{place}:Diary", settings="restore_garden.settings:DiarySettings", summary="Writes."),
        ListenerSpec("bee", f"{place}:Bee", summary="Stings at every event."),
        ListenerSpec("scarecrow", f"{place}:Scarecrow", summary="Hears nothing."),
        ListenerSpec("mole", f"{place}:dig", summary="Cannot be made."),
        ListenerSpec("ghost", f"{place}:Ghost", summary="Does not exist."),
    ]


@hookimpl
def restore_commands():
    place = "restore_garden"
    return [
        CommandSpec(
            "count",
            f"{place}.verbs:count",
            settings=f"{place}.settings:CountSettings",
            needs="nothing",
            summary="Counts flowers.",
        ),
        CommandSpec(
            "smell",
            f"{place}.verbs:smell",
            settings=f"{place}.settings:CountSettings",
            needs="weights",
            summary="Smells at a run.",
        ),
        CommandSpec(
            "bed dig",
            f"{place}.verbs:count",
            settings=f"{place}.settings:CountSettings",
            needs="nothing",
            summary="Digs a bed.",
        ),
    ]
