"""A WebSocket server behind the router, by python3-websockets."""

import asyncio
import threading

import websockets


class EchoServer:
    """Echoes every message; "close CODE" closes with it. Runs on a thread of its own."""

    def __init__(self):
        self.closed = []  # codes that clients closed with
        self.open = 0
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        assert started.wait(60)

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(websockets.serve(
            self._serve, "127.0.0.1", 0, ping_interval=None, max_size=None, subprotocols=["chat"], compression=None))
        self.port = self.server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    async def _serve(self, socket):
        self.open += 1
        try:
            async for message in socket:
                if isinstance(message, str) and message.startswith("close "):
                    await socket.close(int(message.split()[1]), "as you wish")
                else:
                    await socket.send(message)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.open -= 1
            self.closed.append(socket.close_code)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        async def end():
            self.server.close()
            await self.server.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
