"""The tasks of the garden."""

from restore_garden.settings import GrowSettings, WaterSettings
from restore_garden.toy_tasks import Fixed, OneNetwork


class Grow(OneNetwork):
    settings_type = GrowSettings

    def evaluation_data(self, folder):
        return self.dataset("validation", None)


class Water(Grow):
    """Waters."""

    settings_type = WaterSettings


class Rain(Fixed):
    settings_type = GrowSettings


def wilting(amount: float = 1.0) -> float:
    """How much has wilted, in [0, 1]."""
    return amount
