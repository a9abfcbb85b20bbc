"""Does a program end with the one that started it, even with one that is killed?"""

import asyncio
import os
import signal
import sys

PARENT = """
import asyncio, sys
from rollouts.devcluster.offspring import ending_with_us
async def main():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import signal; signal.pause()", preexec_fn=ending_with_us()
    )
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""


async def test_a_killed_parent_leaves_nobody_behind() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = os.pidfd_open(int(await parent.stdout.readline()))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(child, ended.set)
    assert not ended.is_set()
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    async with asyncio.timeout(60):  # far more than it takes, unless nobody gets any time
        await ended.wait()
    asyncio.get_running_loop().remove_reader(child)
    os.close(child)
