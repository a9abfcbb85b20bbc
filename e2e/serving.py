"""Is a server ready?"""

import aiohttp

from e2e.program import Program
from e2e.waiting import PATIENCE, eventually

WELL = {200, 204, 401}  # who is asked for a password is let in by a server that is there


async def answers(program: Program, url: str, within: float = PATIENCE) -> None:
    """Wait until a program answers a GET well; fail with the end of its log when it has ended."""

    async def is_well() -> bool:
        program.require_running()
        try:
            async with aiohttp.ClientSession() as http, http.get(url, ssl=False) as answer:
                return answer.status in WELL
        except aiohttp.ClientError:
            return False

    await eventually(is_well, within=within, what=f"{program.name} is ready")
