"""Settings of ``restore mos collect``. Imports no torch and no numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restore.core.settings import Positional, Settings


class CollectSettings(Settings):
    """Observers open the address that is printed; what they answer is checked and becomes a file each.

    The page has to be made with --post /answers. Ctrl-C ends the server. It has no password: whoever reaches it sees
    the page and can send answers, so give --host only in a network that you trust.
    """

    page: Annotated[Path, Positional("PAGE")]
    """The page that mos make wrote."""
    output: Path = Path("answers")
    """Folder for the answers."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in, such as the phones of a class."""
    allow_host: tuple[str, ...] = ()
    """Further name by which observers may call this machine, such as lab-3.school.example. Addresses in digits and the
    name of this machine need none."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to listen on; 0: any that is free."""
