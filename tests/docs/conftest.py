import asyncio

# Without a loop of its own in the main thread, Python 3.11 makes one when asked, which nobody would close.
asyncio.set_event_loop(None)
